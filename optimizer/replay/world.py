"""A world of tools made of recordings: every answer says how sure it is.

The state of the world is the writes made so far. A recorded answer is given again only where the writes that
may bear on it are those of its recording (docs/replay.md); everything else is a miss. It asks no language
model, calls no tool and changes nothing outside: what may is in `beyond.py`.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from spanloop.optimizer.replay.episode import ON_TAPE, Tier
from spanloop.optimizer.replay.knowledge import learn, record_of, same_answer
from spanloop.optimizer.replay.tape import Act, Moment, act, moments, recordings
from spanloop.optimizer.scenarios.scenario import TapeCall

MISS = json.dumps(
    {"error": "unavailable", "message": "This tool has no answer to these arguments at the moment."}
)
"""What the agent sees of a miss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolAnswer:
    """An answer and how it came about.

    Attributes:
        result: what the agent sees.
        status: ``ok`` or ``error``, as in a tape.
    """

    tier: Tier
    result: str
    status: str

    @property
    def on_tape(self) -> bool:
        """Whether a recording stands behind it."""
        return self.tier in ON_TAPE


State = Counter[tuple[str, str, bool]]
"""Writes by tool, form of arguments, and whether their outcome is unknown."""


class Tape:
    """A scenario's recordings, and what they tell of its tools: made once, shared by its episodes."""

    def __init__(self, calls: Iterable[TapeCall]) -> None:
        calls = tuple(calls)
        self.recordings = recordings(calls)
        recorded = moments(self.recordings)
        self.known = learn(recorded, frozenset(call.tool for call in calls if call.writes))
        self._keys: dict[Act, tuple[str, str]] = {}
        self._states: dict[tuple[Moment, bool], State] = {}
        self._index: dict[tuple[str, str], list[Moment]] = defaultdict(list)
        for moment in recorded:
            key = self._keys[moment.act] = self.key(moment.act)
            if moment.act.result is not None:
                self._index[key].append(moment)

    def key(self, act: Act) -> tuple[str, str]:
        """Return what calls have in common that may have the same answer."""
        return self._keys.get(act) or (act.tool, self.known.form(act))

    def like(self, act: Act) -> Sequence[Moment]:
        """Return the recorded calls that are the same as ``act``, in any state."""
        return self._index.get(self.key(act), ())

    def changes(self, act: Act) -> bool:
        """Return whether ``act`` may have changed something."""
        return not act.failed and self.known.writes(act.tool)

    def state_before(self, moment: Moment, *, surely: bool) -> State:
        """Count the recorded writes before ``moment`` that bear on it."""
        state = self._states.get((moment, surely))
        if state is None:
            writes = [(self.key(act), act) for act in moment.before if self.changes(act)]
            state = self._states[moment, surely] = self.state(moment.act, writes, surely=surely)
        return state

    def state(
        self, of: Act, writes: Iterable[tuple[tuple[str, str], Act]], *, surely: bool
    ) -> State:
        """Count the ``writes`` (each with its key) that bear on ``of``.

        Unless ``surely``, those are left out after which a recording shows the same reading unchanged.
        """
        return Counter(
            (*key, write.result is None)
            for key, write in writes
            if self.known.touches(write, of)
            and (surely or (write.tool, of.tool) not in self.known.independent)
        )


class ToolWorld:
    """The tools of one episode; not for two episodes, nor for two threads."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._known = tape.known
        self._played: list[Act] = []
        self._writes: list[tuple[tuple[str, str], Act]] = []
        self._in_step = set(range(len(tape.recordings)))
        self.tiers: Counter[Tier] = Counter()

    def answer(self, tool: str, arguments: str) -> ToolAnswer:
        """Answer a call of the agent, and remember it."""
        answer = self.look_up(tool, arguments)
        self.observe(tool, arguments, answer)
        return answer

    def look_up(self, tool: str, arguments: str) -> ToolAnswer:
        """Return what the tape answers to a call, without remembering it."""
        asked = act(tool, arguments, result=None, failed=False)
        return self._as_recorded(asked) or self._stub(asked) or _MISS

    def observe(self, tool: str, arguments: str, answer: ToolAnswer) -> None:
        """Remember a call and how it was answered, from the tape or elsewhere.

        A write without an answer leaves its state unknown: nothing it touches is told from the tape again.
        """
        missed = answer.tier == "miss"
        played = act(
            tool,
            arguments,
            result=None if missed else answer.result,
            failed=answer.status == "error" and not missed,
        )
        at = len(self._played)
        self._in_step = {
            number
            for number in self._in_step
            if at < len(calls := self._tape.recordings[number])
            and calls[at].key == played.key
            and same_answer(calls[at].result, played.result)
        }
        self._played.append(played)
        if self._tape.changes(played):
            self._writes.append((self._tape.key(played), played))
        self.tiers[answer.tier] += 1

    def _as_recorded(self, asked: Act) -> ToolAnswer | None:
        """Answer as a recording in the same state did."""
        found = [
            moment for moment in self._tape.like(asked) if self._same_state(moment, surely=True)
        ]
        told = self._agreed(found)
        if told is None:
            return None
        alike = any(moment.act.arguments == asked.arguments for moment in found)
        return _told(told.act, "exact" if alike else "normalised")

    def _stub(self, asked: Act) -> ToolAnswer | None:
        """Answer by what the recording implies rather than says."""
        if asked.tool in self._known.acknowledging:
            like = self._tape.like(asked)
            return _told(like[0].act, "stub") if like else None
        if self._known.writes(asked.tool):
            return None
        return self._record_seen(asked) or self._across_idle_writes(asked)

    def _record_seen(self, asked: Act) -> ToolAnswer | None:
        """Answer with the record that the newest call holding it told, unless a write touched it since."""
        shape = self._known.shapes.get(asked.tool)
        if shape is None:
            return None
        for at in range(len(self._played) - 1, -1, -1):
            told = self._played[at]
            record = None if told.failed else record_of(shape, asked, told.result)
            if record is not None:
                known = replace(asked, result=record)
                since = filter(self._tape.changes, self._played[at + 1 :])
                touched = any(self._known.touches(write, known) for write in since)
                return None if touched else _told(known, "stub")
        return None

    def _across_idle_writes(self, asked: Act) -> ToolAnswer | None:
        """Answer across writes after which the recordings show the same reading unchanged."""
        told = self._agreed(
            [m for m in self._tape.like(asked) if self._same_state(m, surely=False)]
        )
        return None if told is None else _told(told.act, "stub")

    def _agreed(self, found: Sequence[Moment]) -> Moment | None:
        """Choose among recorded answers: of the recording followed to the letter, else the one all give."""
        at = len(self._played)
        in_step = [m for m in found if m.recording in self._in_step and len(m.before) == at]
        for chosen in (in_step, found):
            if chosen and all(same_answer(chosen[0].act.result, m.act.result) for m in chosen):
                return chosen[0]
        return None

    def _same_state(self, moment: Moment, *, surely: bool) -> bool:
        here = self._tape.state(moment.act, self._writes, surely=surely)
        return here == self._tape.state_before(moment, surely=surely)


_MISS = ToolAnswer(tier="miss", result=MISS, status="error")


def _told(told: Act, tier: Tier) -> ToolAnswer:
    return ToolAnswer(tier=tier, result=told.result or "", status="error" if told.failed else "ok")
