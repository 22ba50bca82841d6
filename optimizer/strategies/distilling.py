"""From a win to an entry: the insight of it, without what names one agent's data.

An edit that won names tools and values of its agent. What a template can be filled with elsewhere
(`spanloop.optimizer.candidates.slots`) becomes a placeholder. If anything of this agent is left after that,
the entry keeps no template and says in general words what kind of edit it was. Low-level memories transfer
badly, insights do (arXiv 2604.14004).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from spanloop.optimizer.candidates.candidate import Edit, Intervention, PatternBrief, Proposal
from spanloop.optimizer.candidates.scan import scan
from spanloop.optimizer.candidates.slots import find_slots, tools_known
from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.strategies.strategy import Strategy, Trial
from spanloop.processor.redaction import redact

SHORTEST_VALUE = 3
"""Characters of a value from which on its occurrences in a text are meant."""


class Insight(BaseModel):
    """What an entry says.

    Attributes:
        principle: what to do, and why it works.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    title: str = Field(min_length=3, max_length=90)
    applies_when: str = Field(min_length=10, max_length=300)
    not_when: str = Field(default="", max_length=300)
    principle: str = Field(min_length=10, max_length=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Win:
    """A shipped edit, and where it won.

    Attributes:
        brief: of the pattern it was aimed at.
        configuration: that it edited.
        trial: its outcome.
    """

    edits: tuple[Edit, ...]
    brief: PatternBrief
    configuration: AgentConfiguration
    trial: Trial


PLAIN: Mapping[Intervention, tuple[str, str, str]] = {
    "context_injection": (
        "Put the missing knowledge into the context",
        "Put what satisfied runs look up or know into the context, or say where to look it up: what the"
        " model is told it need not make up.",
        "The knowledge differs from user to user or changes often.",
    ),
    "tool_selection": (
        "Say which tool is for this",
        "Name the tool that satisfied runs call, and the one that it is mistaken for: descriptions of"
        " tools leave the choice open.",
        "Both tools are right for some of these requests.",
    ),
    "tool_arguments": (
        "Say how the tool's arguments are filled",
        "State where each required argument comes from and its form: the model fills gaps with guesses.",
        "The arguments were right and the tool failed.",
    ),
    "instruction_refinement": (
        "Make the instruction say what to do here",
        "Replace what is left to judgement by one rule for this case: a rule is followed more often than"
        " an intention.",
        "Users differ in what they want here.",
    ),
    "verification": (
        "Check before claiming or changing",
        "Have the result read back before it is reported or acted on: what is checked is not made up.",
        "The check costs more than the error.",
    ),
    "stop_rule": (
        "Say when to stop",
        "Give a condition and a number of attempts after which to stop and tell the user: without one,"
        " loops end by time-out.",
        "Runs end early rather than late.",
    ),
    "failure_handling": (
        "Say what to do when a tool fails",
        "Name what to try once and what to tell the user then: an error without a rule is ignored or"
        " repeated.",
        "The failure is the tool's own and can be mended there.",
    ),
    "example": (
        "Show one good run",
        "Show the steps of one satisfied run of this kind: it settles what a description leaves open.",
        "The requests have little in common.",
    ),
    "handoff": (
        "Hand over what cannot be done here",
        "Say what is out of reach and to whom it goes: a hand-over early is better than a failure late.",
        "The agent could do it with what it has.",
    ),
    "parameter": (
        "Change a parameter of the model or the loop",
        "The behaviour follows from a parameter rather than from a text.",
        "Only single runs show it.",
    ),
}
"""Title, principle and limits of an insight without a model's words."""

NEEDS: Mapping[str, str] = {
    "tool": "satisfied runs call a tool that failing runs do not",
    "wrong_tool": "failing runs call another tool instead",
    "failing_tool": "a tool fails",
    "repeated_tool": "a tool is called again and again",
    "changing_tool": "a tool changes something",
    "reading_tool": "satisfied runs look something up first",
    "checking_tool": "what a change came to is looked up only when the user objects",
    "late_tool": "something is looked up only when the user objects",
    "arguments_tool": "a tool is called with wrong arguments",
    "fact_value": "a fact is the same for all users",
    "topics": "the requests share a topic",
    "steps": "satisfied runs need few steps",
}
"""What must be the case for a placeholder to be filled."""


def distil(win: Win) -> Strategy:
    """Return the entry of ``win``: the same for the same insight, whoever won it.

    Its id is made of category, intervention and template, so a second win of it adds to its record.
    """
    trial = win.trial
    edits = generalised(win)
    insight = plain_insight(trial.category, trial.intervention, edits)
    return Strategy(
        strategy_id=identity(trial.category, trial.intervention, edits),
        project=trial.project,
        title=redact(insight.title),
        category=trial.category,
        intervention=trial.intervention,
        applies_when=redact(insight.applies_when),
        not_when=redact(insight.not_when),
        principle=redact(insight.principle),
        edit_template=edits,
        origin_agent=trial.agent,
        origin_experiment=trial.experiment_id,
        created_at=trial.recorded_at,
    )


def identity(category: str, intervention: str, edits: Sequence[Edit]) -> str:
    """Return the id of an insight: 32 hex digits."""
    return digest([category, intervention, [edit.model_dump() for edit in edits]])


def plain_insight(category: str, intervention: Intervention, edits: Sequence[Edit]) -> Insight:
    """Return an insight in words that are known beforehand."""
    title, principle, not_when = PLAIN[intervention]
    used = {slot for edit in edits for slot in SLOT.findall(f"{edit.component} {edit.text}")}
    needs = [NEEDS[slot] for slot in NEEDS if slot in used]
    where = f", where {' and '.join(needs)}" if needs else ""
    return Insight(
        title=f"{title} ({category.replace('_', ' ')})"[:90],
        applies_when=f"A recurring failure of the category {category.replace('_', ' ')}{where}."[
            :300
        ],
        not_when=not_when,
        principle=principle,
    )


def generalised(win: Win) -> tuple[Edit, ...]:
    """Return the edits with placeholders; none of them if anything of this agent would be left."""
    if any("{" in f"{edit.component}{edit.text}" for edit in win.edits):
        return ()
    slots = find_slots(win.brief, win.configuration)
    edits = tuple(_general(edit, slots) for edit in win.edits)
    kept = tuple(edit for edit in edits if edit is not None)
    if len(kept) < len(edits) or _leaks(win, kept):
        return ()
    return kept


SLOT = re.compile(r"\{([a-z_]+)\}")


def _general(edit: Edit, slots: Mapping[str, str]) -> Edit | None:
    """Return what of ``edit`` can be done elsewhere; a passage that goes is in one agent's text only."""
    if edit.operation == "delete" or (edit.operation == "replace" and not edit.text.strip()):
        return None
    operation = "add" if edit.operation == "replace" else edit.operation
    return Edit(
        component=_with_slots(edit.component, slots),
        operation=operation,
        text=_with_slots(edit.text, slots),
    )


def _with_slots(text: str, slots: Mapping[str, str]) -> str:
    for slot, value in sorted(slots.items(), key=lambda item: -len(item[1])):
        if len(value) >= SHORTEST_VALUE:
            text = re.sub(rf"(?<![\w{{]){re.escape(value)}(?![\w}}])", f"{{{slot}}}", text)
    return text


def _leaks(win: Win, edits: Sequence[Edit]) -> bool:
    """Whether edits still hold a name of this agent, or what the scans find in them with nothing allowed."""
    if not edits:
        return True
    seen = [*win.brief.examples, *win.brief.counterexamples]
    own = {*tools_known(win.configuration, seen), win.trial.agent}
    texts = " ".join(SLOT.sub(" ", f"{edit.component} {edit.text}") for edit in edits)
    if any(name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", texts) for name in own):
        return True
    proposal = Proposal(
        engine="library", intervention=win.trial.intervention, edits=unslotted(edits)
    )
    return bool(scan(proposal, configuration=AgentConfiguration(), train=seen, hidden=()))


def unslotted(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return edits as the scans read them: a placeholder is a plain word."""
    return tuple(
        edit.model_copy(
            update={
                "component": SLOT.sub("something", edit.component),
                "text": SLOT.sub("something", edit.text),
            }
        )
        for edit in edits
    )
