"""Candidates without a model: templates as data, filled with what is safe to take from train scenarios."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from spanloop.optimizer.candidates.candidate import Edit, Intervention, PatternBrief, Proposal
from spanloop.optimizer.candidates.edits import edit_hash
from spanloop.optimizer.candidates.recoveries import RecoveryKind, find_recoveries
from spanloop.optimizer.candidates.slots import fill, find_slots, tools_known
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models import Lease


class Template(BaseModel):
    """An entry of ``templates.yaml``.

    Attributes:
        categories: of patterns that it is for.
        needs: parameters that the configuration must have.
        recovery: what failing runs must show of their own cure. The first template for what is a rule comes
            before all others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    categories: tuple[str, ...]
    intervention: Intervention
    rationale: str
    edits: tuple[Edit, ...]
    needs: tuple[str, ...] = ()
    recovery: RecoveryKind | None = None


@cache
def load_templates() -> tuple[Template, ...]:
    """Return the templates of the package, in order."""
    text = files("spanloop.optimizer.candidates").joinpath("templates.yaml").read_text("utf-8")
    entries: Any = yaml.safe_load(text)
    return TypeAdapter(tuple[Template, ...]).validate_python(entries)


class TemplateEngine:
    """Fills templates of a pattern's category; spends nothing.

    Args:
        prefer: returns interventions in the order to try them for a brief (a library's choice); those it
            leaves out come last. None keeps the order of the file.
    """

    name = "template"

    def __init__(
        self,
        templates: Sequence[Template] | None = None,
        *,
        prefer: Callable[[PatternBrief], Sequence[Intervention]] | None = None,
    ) -> None:
        self._templates = load_templates() if templates is None else tuple(templates)
        self._prefer = prefer

    def propose(
        self, brief: PatternBrief, configuration: AgentConfiguration, *, lease: Lease, n: int
    ) -> Sequence[Proposal]:
        """Return at most ``n`` filled templates: untried ones first, of different interventions.

        What failing runs themselves show the cure of comes before what holds for a whole category.
        """
        del lease  # nothing is spent
        slots = find_slots(brief, configuration)
        known = tools_known(configuration, [*brief.examples, *brief.counterexamples])
        shown = {recovery.kind: recovery for recovery in find_recoveries(brief, known)}
        fitting = [
            (template, proposal)
            for template in self._templates
            if brief.category in template.categories
            and all(name in configuration.parameters for name in template.needs)
            and (template.recovery is None or template.recovery in shown)
            and (proposal := _filled(template, slots)) is not None
        ]
        first = {t.recovery: p for t, p in reversed(fitting) if t.recovery is not None}
        proven = [first[kind] for kind, cure in shown.items() if kind in first and cure.is_rule]
        others = [proposal for _, proposal in fitting if proposal not in proven]
        tried = {edit_hash(edits) for edits in brief.tried}
        ordered = [*proven, *self._ordered(brief, others)]
        return sorted(ordered, key=lambda proposal: edit_hash(proposal.edits) in tried)[:n]

    def _ordered(self, brief: PatternBrief, proposals: Sequence[Proposal]) -> list[Proposal]:
        """Return the first proposal of each intervention, then the second of each, and so on."""
        preferred = list(self._prefer(brief)) if self._prefer is not None else []
        rank: Mapping[Intervention, int] = {name: at for at, name in enumerate(preferred)}
        seen: dict[Intervention, int] = {}
        keyed: list[tuple[int, int, int, Proposal]] = []
        for at, proposal in enumerate(proposals):
            turn = seen.get(proposal.intervention, 0)
            seen[proposal.intervention] = turn + 1
            place = rank.get(proposal.intervention, len(preferred))
            keyed.append((turn, place, at, proposal))
        return [proposal for *_, proposal in sorted(keyed, key=lambda entry: entry[:3])]


def _filled(template: Template, slots: Mapping[str, str]) -> Proposal | None:
    edits = fill(template.edits, slots)
    told = fill((Edit(component="rationale", operation="add", text=template.rationale),), slots)
    if edits is None or told is None:
        return None
    return Proposal(
        engine=TemplateEngine.name,
        intervention=template.intervention,
        edits=edits,
        rationale=told[0].text,
    )
