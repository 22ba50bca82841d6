"""What failing recordings show of their own cure: the call that came too late, or only after another one.

Contrast with satisfied peers tells nothing where every run of a kind fails. But many an agent does the right
thing once its user complains, and what it does then it could have done before. Only names are taken from
there: of tools that the agent knows, and of arguments that it declares.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from typing import Any, Literal, cast

from spanloop.optimizer.candidates.candidate import PatternBrief
from spanloop.optimizer.scenarios.scenario import Scenario, TapeCall

RecoveryKind = Literal["tool", "check", "lookup"]

MIN_RECORDINGS = 3
"""Runs that make a recovery a rule: what happens once is none. Runs, for a cluster may hold a whole story."""
MIN_VALUE_CHARS = 3
"""Of a value that links two calls: shorter ones are shared by chance."""

_STATE = re.compile(r"(?:status|state|progress|details|info|history)$", re.IGNORECASE)
"""What the name of a tool ends with that tells how something stands (``refund_status``)."""

_Sign = tuple[RecoveryKind, tuple[str, ...]]
_SLOTS: Mapping[RecoveryKind, tuple[str, ...]] = {
    "tool": ("wrong_tool", "tool", "tool_argument"),
    "check": ("changing_tool", "checking_tool"),
    "lookup": ("late_tool",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What an agent does right at the second attempt.

    Attributes:
        kind: ``tool``: after a tool that failed or found nothing, another one is given the same value and
            serves; ``check``: what a change came to is looked up only when the user complains; ``lookup``:
            so is something else.
        slots: for templates: ``wrong_tool``, ``tool`` and ``tool_argument`` (of ``tool``: what the value is
            to it); ``changing_tool`` and ``checking_tool``; ``late_tool``.
        recordings: that show it.
    """

    kind: RecoveryKind
    slots: Mapping[str, str]
    recordings: int

    @property
    def is_rule(self) -> bool:
        """Whether so many show it that it is worth more than what holds for a whole category."""
        return self.recordings >= MIN_RECORDINGS


def find_recoveries(brief: PatternBrief, known: frozenset[str]) -> list[Recovery]:
    """Return the commonest recovery of each kind in ``brief``, that of most failing recordings first.

    One user who objects is enough for a guess; of ``tool``, where nobody need object, only a rule counts.

    Args:
        brief: its examples and counterexamples count; one that no example shows is not of this pattern.
        known: names of tools as the agent declares them.
    """
    scenarios = [*brief.examples, *brief.counterexamples]
    view = _View(scenarios, known)
    failing, others = _recordings(brief.examples, view), _recordings(brief.counterexamples, view)
    shown = {sign: recordings | others.get(sign, set()) for sign, recordings in failing.items()}
    ranked = sorted(
        (sign for sign in failing if sign[0] != "tool" or len(shown[sign]) >= MIN_RECORDINGS),
        key=lambda sign: (-len(failing[sign]), -len(shown[sign]), sign),
    )
    best: dict[RecoveryKind, Recovery] = {}
    for kind, names in ranked:
        slots = dict(zip(_SLOTS[kind], names, strict=True))
        recordings = len(shown[kind, names])
        best.setdefault(kind, Recovery(kind=kind, slots=slots, recordings=recordings))
    return list(best.values())


class _View:
    """What is known of the tools of a brief."""

    def __init__(self, scenarios: Sequence[Scenario], known: frozenset[str]) -> None:
        self.known = known
        self.declared = {
            (tool.name, argument)
            for scenario in scenarios
            for tool in scenario.content.tools
            for argument in _properties(tool.parameters)
        }
        self._writing = {c.tool for s in scenarios for c in s.content.tape if c.writes}

    def effect(self, tool: str) -> str:
        """Return ``reads``, ``changes`` or ``hands_over``."""
        if _STATE.search(tool):
            return "reads"
        return "changes" if tool in self._writing else _effect_by_name(tool)


@cache
def _effect_by_name(tool: str) -> str:
    # Imported when asked for: the package of satisfaction loads scikit-learn, which takes seconds.
    from spanloop.optimizer.satisfaction.tools import ToolUse, effect

    use = ToolUse(name=tool, calls=0, repeated=0.0, after_consent=0.0, a_trajectory=0.0)
    return effect(use).value


def _recordings(scenarios: Iterable[Scenario], view: _View) -> dict[_Sign, set[str]]:
    found: dict[_Sign, set[str]] = defaultdict(set)
    for scenario in scenarios:
        tape = sorted(scenario.content.tape, key=lambda call: (call.trajectory, call.position))
        for trajectory, calls in groupby(tape, key=lambda call: call.trajectory):
            for sign in _signs(list(calls), view):
                found[sign].add(trajectory)
    return found


def _signs(calls: Sequence[TapeCall], view: _View) -> Iterator[_Sign]:
    """Yield what one recording shows; a call counts for one kind only."""
    nothing: list[int] = []
    recovered: set[int] = set()
    late: set[str] = set()
    reaction = 0
    for at, call in enumerate(calls):
        if call.after_reaction and not (at and calls[at - 1].after_reaction):
            reaction = at
        if call.status == "error" or (call.result is not None and _is_hollow(call.result)):
            nothing.append(at)
            continue
        if call.tool not in view.known or call.result is None:
            continue
        failures = {
            before: argument for before in nothing if (argument := _shared(call, calls[before]))
        }
        for before, argument in failures.items():
            if before not in recovered and _replaces(call, calls[before], argument, view):
                yield "tool", (calls[before].tool, call.tool, argument)
        recovered |= failures.keys()  # what follows with the same value follows from the recovery
        if failures or call.tool in late or not call.after_reaction:
            continue
        if view.effect(call.tool) == "reads":
            late.add(call.tool)
            yield from _late(call, calls[:reaction], view)


def _replaces(call: TapeCall, failed: TapeCall, argument: str, view: _View) -> bool:
    """Whether ``call`` did what ``failed`` was to do: a look-up after a refused change explains it only."""
    effect = view.effect(call.tool)
    return (
        call.tool != failed.tool
        and failed.tool in view.known
        and effect == view.effect(failed.tool) != "hands_over"
        and (call.tool, argument) in view.declared
    )


def _late(call: TapeCall, before: Sequence[TapeCall], view: _View) -> Iterator[_Sign]:
    """Yield what ``call``, made in answer to a reaction, makes up for; ``before`` are calls before that."""
    changes = [
        at
        for at, c in enumerate(before)
        if c.writes and view.effect(c.tool) == "changes" and _follows(call, c)
    ]
    if changes:
        change = before[changes[-1]]
        checked = any(c.tool == call.tool for c in before[changes[-1] :])
        if change.tool in view.known and not checked:
            yield "check", (change.tool, call.tool)
    elif all(c.tool != call.tool for c in before):
        yield "lookup", (call.tool,)


def _is_hollow(result: str) -> bool:
    """Return whether ``result`` holds nothing, as symptoms take it.

    >>> _is_hollow('{"found": [], "count": 0}'), _is_hollow("[]"), _is_hollow('{"days": 3}')
    (True, True, False)
    """
    value = _parsed(result)
    if isinstance(value, dict):
        return not any(cast("dict[str, Any]", value).values())
    return not value or result.strip().lower() == "none"


def _shared(call: TapeCall, failed: TapeCall) -> str:
    """Return the argument of ``call`` whose value ``failed`` was given too, '' if there is none."""
    given = [text.casefold() for _, text in _arguments(failed.arguments)]
    for name, value in _arguments(call.arguments):
        sought = value.casefold()
        if len(sought) >= MIN_VALUE_CHARS and any(
            sought in text and re.search(rf"(?<!\w){re.escape(sought)}(?!\w)", text)
            for text in given
        ):
            return name
    return ""


def _follows(call: TapeCall, change: TapeCall) -> bool:
    """Whether an argument of ``call`` is a value that ``change`` was given or returned."""
    told = (*_arguments(change.arguments), *_leaves(_parsed(change.result or "")))
    values = {value for _, value in told if len(value) >= MIN_VALUE_CHARS}
    return any(value in values for _, value in _arguments(call.arguments))


@lru_cache(4_096)
def _arguments(text: str) -> Sequence[tuple[str, str]]:
    return tuple(_leaves(_parsed(text)))


def _leaves(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield (key, text) of texts and numbers, 40 a level and 4 levels deep at most."""
    if isinstance(value, dict) and depth < 4:
        for key, inner in list(cast("dict[str, Any]", value).items())[:40]:
            yield from _leaves(inner, key, depth + 1)
    elif isinstance(value, (list, tuple)) and depth < 4:
        for inner in cast("Sequence[Any]", value)[:40]:
            yield from _leaves(inner, name, depth + 1)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and name:
        yield name, str(value)


def _properties(schema: str) -> Iterable[str]:
    parsed = _parsed(schema)
    found: Any = (
        cast("dict[str, Any]", parsed).get("properties") if isinstance(parsed, dict) else None
    )
    return cast("dict[str, Any]", found) if isinstance(found, dict) else ()


def _parsed(text: str) -> Any:
    """Return JSON ``text`` as a value; ``text`` itself where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
