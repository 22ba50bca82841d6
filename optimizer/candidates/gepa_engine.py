"""Candidates from GEPA (arXiv 2507.19457, package ``gepa``, an optional extra): reflective search on train.

What of it is replaced: its proposer, which would copy facts from traces into the prompt, by bounded edits;
its stop rule, which cannot see what episodes cost, by the lease; its verdict, a sum over three examples, by
ours: all that it finds is only proposed. It gets no directory, since its state is a pickle.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from spanloop.optimizer.candidates.candidate import Edit, PatternBrief, Proposal
from spanloop.optimizer.candidates.edits import (
    EditLimits,
    EditRefused,
    apply_edits,
    edits_between,
    oversize,
)
from spanloop.optimizer.candidates.evidence import TEXT_CHARS, evidence_lines, quote
from spanloop.optimizer.candidates.model_diff_engine import ANSWER_TOKENS, instructions
from spanloop.optimizer.candidates.slots import find_slots
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models import (
    AnswerInvalid,
    BudgetExhausted,
    Lease,
    Model,
    ModelFailure,
    Prompt,
    ask,
)
from spanloop.optimizer.scenarios.scenario import Scenario
from spanloop.processor.errors import ConfigError
from spanloop.processor.redaction import redact


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One train scenario, played once.

    Attributes:
        score: 0 to 1; None = the run failed, which counts as 0 here.
        told: what happened, text of a trace.
    """

    score: float | None
    told: str = ""


class Player(Protocol):
    """Plays train scenarios with a configuration, out of every experiment."""

    def play(
        self, scenarios: Sequence[Scenario], configuration: AgentConfiguration, *, lease: Lease
    ) -> Sequence[Played]:
        """Return one outcome for each scenario, in order.

        Raises:
            BudgetExhausted: ``lease`` does not suffice.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GepaSettings:
    """Bounds of a search.

    Attributes:
        iterations: of gepa, each at most one rewrite.
        minibatch: train scenarios that each is tried on first.
    """

    iterations: int = 8
    minibatch: int = 3
    seed: int = 1
    limits: EditLimits = field(default_factory=EditLimits)


class Rewrite(BaseModel):
    """A model's answer: edits of components it was shown."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    edits: tuple[Edit, ...] = Field(max_length=6)


class GepaEngine:
    """Searches with ``gepa`` for each pattern; ``model`` writes, ``player`` plays.

    Raises:
        ConfigError: the extra is not installed.
    """

    name = "gepa"

    def __init__(
        self, model: Model, player: Player, *, settings: GepaSettings | None = None
    ) -> None:
        self._model = model
        self._player = player
        self._settings = settings or GepaSettings()
        self._gepa, self._batch = _import_gepa()

    def propose(
        self, brief: PatternBrief, configuration: AgentConfiguration, *, lease: Lease, n: int
    ) -> Sequence[Proposal]:
        """Return at most ``n`` texts that did better on train scenarios than what they came from.

        Raises:
            BudgetExhausted, ModelFailure: before anything was found.
        """
        search = _Search(
            model=self._model,
            player=self._player,
            batch=self._batch,
            brief=brief,
            configuration=configuration,
            lease=lease,
            settings=self._settings,
        )
        spent = lease.tokens
        result = self._gepa.optimize(
            seed_candidate=search.seed(),
            trainset=search.train,
            valset=search.train,
            adapter=search,
            reflection_minibatch_size=min(self._settings.minibatch, len(search.train)),
            stop_callbacks=search.must_stop,
            logger=_Silent(),
            seed=self._settings.seed,
            track_best_outputs=False,
            raise_on_exception=True,
        )
        found = search.shortlist(result.candidates, result.val_aggregate_scores)[:n]
        if not found and search.stopped is not None:
            raise search.stopped
        each, rest = divmod(lease.tokens - spent, max(len(found), 1))
        cost = None if lease.cost_usd is None else lease.cost_usd / max(len(found), 1)
        return [
            Proposal(
                engine=self.name,
                intervention="instruction_refinement",
                edits=edits,
                rationale="found by search on train scenarios; its scores there are no evidence",
                tokens=each + (rest if at == 0 else 0),
                cost_usd=cost,
            )
            for at, edits in enumerate(found)
        ]


@dataclass(slots=True, kw_only=True)
class _Search:
    """The adapter that gepa asks; want of budget does not raise, or gepa would lose what it found.

    Attributes:
        batch: gepa's EvaluationBatch.
        stopped: why no more can be played or asked; None while it can.
        rewrites: tried so far.
        whole: candidates that all train scenarios were played with.
    """

    model: Model
    player: Player
    batch: Any
    brief: PatternBrief
    configuration: AgentConfiguration
    lease: Lease
    settings: GepaSettings
    stopped: BudgetExhausted | ModelFailure | None = None
    rewrites: int = 0
    whole: set[tuple[tuple[str, str], ...]] = field(
        default_factory=set[tuple[tuple[str, str], ...]]
    )

    @property
    def train(self) -> list[Scenario]:
        """What is played: the scenarios of the brief."""
        return [*self.brief.examples, *self.brief.counterexamples]

    def seed(self) -> dict[str, str]:
        """Return what may change: instructions, and components of tools that the pattern is about."""
        components = self.configuration.components
        slots = find_slots(self.brief, self.configuration)
        tools = {slots[slot] for slot in slots if slot.endswith("tool")}
        chosen = {
            name: text
            for name, text in components.items()
            if name.startswith("tool.") and name.removeprefix("tool.").rpartition(".")[0] in tools
        }
        return {"instructions": components.get("instructions", ""), **chosen}

    def must_stop(self, state: Any) -> bool:
        """Return whether gepa has to stop; asked before each iteration."""
        return self.stopped is not None or state.i + 1 >= self.settings.iterations

    def evaluate(
        self, batch: Sequence[Scenario], candidate: Mapping[str, str], capture_traces: bool = False
    ) -> Any:
        """Play ``batch`` with ``candidate``; 0 for what failed or could not be played."""
        played: Sequence[Played] = [Played(score=None)] * len(batch)
        if self.stopped is None:
            try:
                played = self.player.play(batch, self._with(candidate), lease=self.lease)
            except (BudgetExhausted, ModelFailure) as stop:
                self.stopped = stop
        if self.stopped is None and len(batch) == len(self.train):
            self.whole.add(tuple(sorted(candidate.items())))
        return self.batch(
            outputs=[None] * len(batch),
            scores=[outcome.score or 0.0 for outcome in played],
            trajectories=list(zip(batch, played, strict=True)) if capture_traces else None,
        )

    def make_reflective_dataset(
        self, candidate: Mapping[str, str], eval_batch: Any, components_to_update: Sequence[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return what was played, redacted and capped, for each component alike."""
        del candidate
        records = [
            {
                "user": redact(scenario.content.opening)[:TEXT_CHARS],
                "what_happened": redact(outcome.told)[: 4 * TEXT_CHARS],
                "score": outcome.score,
            }
            for scenario, outcome in eval_batch.trajectories
        ]
        return dict.fromkeys(components_to_update, records)

    def propose_new_texts(
        self,
        candidate: dict[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: Sequence[str],
    ) -> dict[str, str]:
        """Return ``components_to_update`` rewritten by bounded edits; as they are where none is possible."""
        self.rewrites += 1
        kept = {name: candidate[name] for name in components_to_update}
        try:
            asked = ask(
                self.model, self._prompt(candidate, reflective_dataset, kept), Rewrite, self.lease
            )
            edits = [edit for edit in asked.answer.edits if edit.component in kept]
            edited = apply_edits(AgentConfiguration(components=kept), edits)
        except (BudgetExhausted, ModelFailure) as stop:
            self.stopped = stop
            return kept
        except (AnswerInvalid, EditRefused):
            return kept  # an unusable answer is a rewrite that changes nothing
        if oversize(self.configuration, edits, self.settings.limits):
            return kept
        return {name: edited.components.get(name, "") for name in kept}

    def _prompt(
        self,
        candidate: Mapping[str, str],
        dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        wanted: Mapping[str, str],
    ) -> Prompt:
        head, _ = evidence_lines(self.brief, self._with(candidate))
        records = next(iter(dataset.values()), ())
        mark, body = quote([*head, *records], key=f"{self.brief.pattern_id}{self.rewrites}")
        system = instructions(mark, n=1, limits=self.settings.limits)
        return Prompt(
            system=f"{system}\nAnswer with the edits of one fix; change only {', '.join(wanted)}.",
            user=body,
            max_tokens=ANSWER_TOKENS,
            seed=self.settings.seed + self.rewrites,
        )

    def shortlist(
        self, candidates: Sequence[Mapping[str, str]], scores: Sequence[float]
    ) -> list[tuple[Edit, ...]]:
        """Return candidates other than the first as edits of the baseline, the best on train first."""
        whole = [
            (score, -at, candidate)
            for at, (candidate, score) in enumerate(zip(candidates, scores, strict=True))
            if tuple(sorted(candidate.items())) in self.whole
        ]
        found: list[tuple[Edit, ...]] = []
        for _, _, candidate in sorted(whole, key=lambda entry: entry[:2], reverse=True):
            edits = edits_between(self.configuration, self._with(candidate))
            if edits and edits not in found:
                found.append(edits)
        return found

    def _with(self, candidate: Mapping[str, str]) -> AgentConfiguration:
        texts = {**self.configuration.components, **candidate}
        return self.configuration.model_copy(
            update={"components": {name: text for name, text in texts.items() if text.strip()}}
        )


class _Silent:
    """A log that keeps nothing: gepa's messages quote texts of traces."""

    def log(self, message: str) -> None:
        """Ignore it."""


def _import_gepa() -> tuple[Any, Any]:
    try:
        return importlib.import_module("gepa"), importlib.import_module(
            "gepa.core.adapter"
        ).EvaluationBatch
    except ImportError as missing:
        raise ConfigError(
            "engine gepa needs the extra: pip install 'spanloop[gepa]' (optimizer.candidates.engines)"
        ) from missing
