"""What a tape tells of its tools: which write, what of a call makes no difference, what depends on what.

Learned from one scenario's tape only; a prior from English verbs says which tools write where no recording
does. Everything unknown counts as dependent.
"""

import itertools
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from spanloop.optimizer.replay.arguments import canonical, is_prose, members, parsed, records
from spanloop.optimizer.replay.tape import Act, Moment
from spanloop.optimizer.symptoms.tool_names import CHANGES, READS

_FIRST_CHANGES, _ANY_CHANGES = (re.compile(pattern) for pattern in CHANGES)
_FIRST_READS, _ANY_READS = (re.compile(pattern) for pattern in READS)
SAME_ANSWERS = 2
"""Different texts under one argument with one answer, from which on a reading tool does not mind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A tool whose answer is the record of one thing: ``argument`` names it, ``member`` repeats the name."""

    argument: str
    member: str
    members: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known of the tools of one tape.

    Attributes:
        writers: tools that a recording shows to write.
        idle: by tool, arguments that make no difference to its answer.
        independent: (writing tool, reading tool): answers stayed as they were over such writes, always.
        acknowledging: writing tools that are told prose only and have one answer to all of it.
        shapes: tools that answer with a record.
    """

    writers: frozenset[str]
    idle: Mapping[str, frozenset[str]]
    independent: frozenset[tuple[str, str]]
    acknowledging: frozenset[str]
    shapes: Mapping[str, Shape]
    _memo: dict[str, bool] = field(default_factory=dict[str, bool], repr=False)

    def writes(self, tool: str) -> bool:
        """Return whether ``tool`` may change something."""
        if tool not in self._memo:
            self._memo[tool] = tool in self.writers or writes_by_name(tool)
        return self._memo[tool]

    def form(self, act: Act) -> str:
        """Return the normal form of its arguments without those that make no difference."""
        idle = self.idle.get(act.tool)
        if idle is None and self.writes(act.tool):
            idle = _prose(act)
        if not idle or not act.members:
            return act.form
        return canonical({name: value for name, value in act.members.items() if name not in idle})

    def touches(self, write: Act, act: Act) -> bool:
        """Return whether ``write`` may have changed what ``act`` answers: they name the same thing.

        A write that names nothing may have changed anything.
        """
        if not write.names:
            return True
        return not write.names.isdisjoint(act.names) or any(
            name in (act.result or "") for name in write.names
        )


def learn(moments: Sequence[Moment], writers: frozenset[str]) -> Knowledge:
    """Learn from recorded calls; ``writers`` are the tools that the tape marks as writing."""
    by_tool: dict[str, list[Act]] = defaultdict(list)
    for moment in moments:
        by_tool[moment.act.tool].append(moment.act)
    bare = Knowledge(
        writers=writers, idle={}, independent=frozenset(), acknowledging=frozenset(), shapes={}
    )
    return Knowledge(
        writers=writers,
        idle={tool: _idle(acts, writes=bare.writes(tool)) for tool, acts in by_tool.items()},
        independent=_independent(moments, bare),
        acknowledging=frozenset(
            tool for tool, acts in by_tool.items() if bare.writes(tool) and _acknowledges(acts)
        ),
        shapes={tool: shape for tool, acts in by_tool.items() if (shape := _shape(acts))},
    )


def writes_by_name(tool: str) -> bool:
    """Return whether the name of a tool tells that it changes something; a name that tells nothing may.

    >>> writes_by_name("update_order"), writes_by_name("get_order"), writes_by_name("frobnicate")
    (True, False, True)
    """
    if _FIRST_CHANGES.search(tool):
        return True
    if _FIRST_READS.search(tool):
        return False
    return bool(_ANY_CHANGES.search(tool)) or not _ANY_READS.search(tool)


def same_answer(one: str | None, other: str | None) -> bool:
    """Return whether two answers say the same; JSON by value."""
    return one == other or (
        one is not None and other is not None and canonical(parsed(one)) == canonical(parsed(other))
    )


def _prose(act: Act) -> frozenset[str]:
    return frozenset(name for name, member in act.members.items() if is_prose(member))


def _idle(acts: Sequence[Act], *, writes: bool) -> frozenset[str]:
    """Return prose arguments that made no difference.

    What a writing tool is told in prose (a reason, a summary) it acknowledges; what a reading tool is told
    may be a question, so that the same answer to different texts has to be seen.
    """
    names = frozenset[str]().union(*(_prose(act) for act in acts))
    return frozenset(
        name for name in names if _is_idle(name, acts, needed=1 if writes else SAME_ANSWERS)
    )


def _acknowledges(acts: Sequence[Act]) -> bool:
    return all(
        act.members
        and _prose(act) == frozenset(act.members)
        and same_answer(act.result, acts[0].result)
        for act in acts
    )


def _is_idle(name: str, acts: Sequence[Act], *, needed: int) -> bool:
    answers: dict[str, dict[str, str | None]] = defaultdict(dict)
    for act in acts:
        if act.members and not act.failed:
            rest = canonical({key: value for key, value in act.members.items() if key != name})
            answers[rest][act.form] = act.result
    alike = all(
        same_answer(one, other)
        for told in answers.values()
        for one, other in itertools.pairwise(told.values())
    )
    return alike and max((len(told) for told in answers.values()), default=0) >= needed


def _independent(moments: Sequence[Moment], bare: Knowledge) -> frozenset[tuple[str, str]]:
    """Compare every two readings of the same within a recording by the writes between them."""
    stayed: set[tuple[str, str]] = set()
    changed: set[tuple[str, str]] = set()
    last: dict[tuple[int, tuple[str, str]], Moment] = {}
    for moment in moments:
        reading = moment.act
        if bare.writes(reading.tool):
            continue
        earlier = last.get((moment.recording, reading.key))
        last[moment.recording, reading.key] = moment
        if earlier is None:
            continue
        between = {
            (write.tool, reading.tool)
            for write in moment.before[len(earlier.before) + 1 :]
            if bare.writes(write.tool) and not write.failed and bare.touches(write, reading)
        }
        same = same_answer(earlier.act.result, reading.result)
        (stayed if same else changed).update(between)
    return frozenset(stayed - changed)


def _shape(acts: Sequence[Act]) -> Shape | None:
    """Find the argument that every answer repeats as a member, and the members all answers share."""
    good = [
        (next(iter(act.members.items())), answer)
        for act in acts
        if not act.failed
        and len(act.members) == 1
        and (answer := members(parsed(act.result or "")))
    ]
    if not good or len({argument for (argument, _), _ in good}) > 1:
        return None
    shapes = {frozenset(answer) for _, answer in good}
    (argument, _), first = good[0]
    repeated = [
        name
        for name in sorted(first)
        if all(str(answer.get(name)).casefold() == str(value) for (_, value), answer in good)
    ]
    if not repeated or len(shapes) > 1:
        return None
    return Shape(argument=argument, member=repeated[0], members=frozenset(first))


def record_of(shape: Shape, act: Act, answer: str | None) -> str | None:
    """Return the record that ``act`` asks for, where ``answer`` of another call holds it whole."""
    if answer is None or set(act.members) != {shape.argument}:
        return None
    wanted = act.members[shape.argument]
    found = [
        record
        for record in records(parsed(answer))
        if frozenset(record) == shape.members and str(record[shape.member]).casefold() == wanted
    ]
    return json.dumps(found[0], ensure_ascii=False) if len(found) == 1 else None
