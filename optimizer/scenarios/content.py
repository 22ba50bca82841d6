"""What is played, made of recordings: the opening, later turns, the tape, the criteria."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate

from spanloop.optimizer.scenarios.criteria import derive_criteria
from spanloop.optimizer.scenarios.facts import MAX_FACTS, new_values, values_in
from spanloop.optimizer.scenarios.persona import persona
from spanloop.optimizer.scenarios.recording import RecordedStep, Recording, tape_of
from spanloop.optimizer.scenarios.scenario import Content, TapeCall, ToolSchema, UserTurn
from spanloop.optimizer.scenarios.similarity import telling_words
from spanloop.optimizer.symptoms.phrases import PHRASES

MAX_GOAL_CHARS = 200
MIN_GOAL_WORDS = 3
"""Telling words of a sentence that can stand for a whole opening."""

MAX_TURNS = 40
MAX_TAPE_CHARS = 400_000
"""Of one scenario; whole recordings are left out beyond, the played one never."""

REPEATED = 0.8
"""Ratio of matching words from which on a message repeats an earlier one."""

MAX_COMPARED_WORDS = 60
"""Of either: the comparison is quadratic, and texts are hostile."""

_REACTION_SYMPTOMS = ("user_correction", "user_frustration", "rephrased_request")
_PATTERNS = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in PHRASES
    if name in ("corrects", "frustrated", "wants")
}
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What one scenario is made of.

    Attributes:
        recordings: the one that is played first, then the others, newest first.
        satisfied: ids of those whose user was satisfied.
        tools: as they were offered.
        changing: tools that change something.
        predicates: of the patterns aimed at (JSON) → share of the satisfied ones that do not show them.
    """

    recordings: Sequence[Recording]
    satisfied: frozenset[str]
    tools: tuple[ToolSchema, ...]
    changing: frozenset[str]
    predicates: Mapping[str, float]


def build_content(material: Material) -> Content | None:
    """Return what is played; None where no user says anything in the recording to play."""
    played = material.recordings[0]
    said = [step for step in played.of_kind("user") if (step.text or "").strip()]
    if not said:
        return None
    opening = said[0].text or ""
    turns = tuple(_turn(played, step) for step in said[1 : 1 + MAX_TURNS])
    satisfied = [r for r in material.recordings if r.trajectory_id in material.satisfied]
    others = [r for r in material.recordings if r.trajectory_id not in material.satisfied]
    told = [value for text in (opening, *(t.text for t in turns)) for value in values_in(text)]
    return Content(
        opening=opening,
        parting=_parting(played),
        turns=turns,
        facts=tuple(dict.fromkeys(told))[:MAX_FACTS],
        persona=persona([step.text or "" for step in said]),
        system=played.system,
        tools=material.tools,
        tape=_tape(material),
        criteria=derive_criteria(
            satisfied,
            others,
            played=played,
            changing=material.changing,
            predicates=material.predicates,
        ),
    )


def goal_of(opening: str) -> str:
    """Return what ``opening`` asks for in one line: the most telling of its sentences that want something.

    >>> goal_of("Hi there! I need to cancel order 12. Can you help me?")
    'I need to cancel order 12.'
    """
    sentences = [" ".join(part.split()) for part in _SENTENCE.split(opening) if part.strip()]
    wanting = [s for s in sentences if _PATTERNS["wants"].search(s)] or sentences
    goal = max(wanting, key=telling_words, default="")
    if telling_words(goal) < MIN_GOAL_WORDS:
        goal = " ".join(opening.split())
    return goal if len(goal) <= MAX_GOAL_CHARS else goal[: MAX_GOAL_CHARS - 1] + "…"


def _tape(material: Material) -> tuple[TapeCall, ...]:
    """Return the calls of the recordings that fit; of the played one the first that do."""
    tape: list[TapeCall] = []
    for recording in material.recordings:
        calls = tape_of(recording, material.changing, _reactions(recording))
        sizes = [len(call.arguments) + len(call.result or "") for call in calls]
        room = MAX_TAPE_CHARS - sum(len(c.arguments) + len(c.result or "") for c in tape)
        fitting = sum(total <= room for total in accumulate(sizes))
        if fitting < len(calls) and tape:
            break
        tape += calls[:fitting]
    return tuple(tape)


def _turn(recording: Recording, step: RecordedStep) -> UserTurn:
    text = step.text or ""
    before = [s for s in recording.steps if s.step < step.step]
    heard = [part for s in before for part in (s.text, s.result) if part]
    answers = [s.text for s in before if s.kind == "assistant" and s.text]
    return UserTurn(
        text=text,
        facts=new_values(text, heard),
        reaction=_reacts(recording, step, [s.text or "" for s in before if s.kind == "user"]),
        after=answers[-1] if answers else "",
    )


def _parting(recording: Recording) -> str:
    """Return what the agent said last, if it had the last word."""
    said = [step for step in recording.steps if step.kind in ("user", "assistant") and step.text]
    return said[-1].text or "" if said and said[-1].kind == "assistant" else ""


def _reactions(recording: Recording) -> set[int]:
    """Return the steps at which the user answers a failure, within the turns that are played."""
    said = [s for s in recording.of_kind("user") if (s.text or "").strip()][: 1 + MAX_TURNS]
    texts = [step.text or "" for step in said]
    return {
        step.step for at, step in enumerate(said) if at and _reacts(recording, step, texts[:at])
    }


def _reacts(recording: Recording, step: RecordedStep, earlier: Sequence[str]) -> bool:
    """Whether a message answers a failure: it corrects, complains, or says the same again."""
    text = step.text or ""
    if any(recording.findings.get(symptom) == step.step for symptom in _REACTION_SYMPTOMS):
        return True
    if _PATTERNS["corrects"].search(text) or _PATTERNS["frustrated"].search(text):
        return True
    words = _begin(text)
    return len(words) >= 6 and any(_is_repeated(words, _begin(past)) for past in earlier)


def _begin(text: str) -> list[str]:
    return text.lower().split()[:MAX_COMPARED_WORDS]


def _is_repeated(words: Sequence[str], earlier: Sequence[str]) -> bool:
    matcher = SequenceMatcher(None, words, earlier, autojunk=False)
    bounds = (
        matcher.real_quick_ratio,
        matcher.quick_ratio,
        matcher.ratio,
    )  # each below the one before
    return all(ratio() >= REPEATED for ratio in bounds)
