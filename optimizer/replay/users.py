"""Who talks to the agent: the recorded user again, or a model that plays them."""

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios.facts import values_in
from spanloop.optimizer.scenarios.scenario import Content, UserTurn

SAME_FAILURE = 0.5
"""Share of the words of a recorded answer that the present one repeats, from which on it is the same."""
SAME_QUESTION = 0.34
"""The same of a question, which is put in many words."""
MAX_REPEATS = 2
"""Times the user tells everything again to an agent that goes on asking."""
_WORD = re.compile(r"\w{3,}")


class UserSimulator(Protocol):
    """A user in one episode."""

    async def reply(self, answer: str) -> str | None:
        """Return what the user says to the agent's answer, None if the user leaves."""
        ...


UserFactory = Callable[[EpisodeRequest], UserSimulator]


class ScriptedUser:
    """Says the recorded turns in order.

    A reaction is said only where the agent gives the answer again that it was a reaction to: much the same
    words, and at least half of the numbers that the user had not told ("60 days" is not "30 days"). Asked
    something, the user first says the turn that answered that question. Facts that no turn tells are told
    when the agent asks and no turn is left. A user with nothing to say leaves, and so does one who hears what
    the recorded user left at.
    """

    def __init__(self, content: Content) -> None:
        self._left = list(content.turns)
        told = " ".join([content.opening, *(turn.text for turn in content.turns)])
        self._untold = [fact for fact in content.facts if fact not in told]
        self._facts = [*content.facts, *(fact for turn in content.turns for fact in turn.facts)]
        self._numbers = _numbers(told)
        self._parting = content.parting
        self._repeats = 0

    async def reply(self, answer: str) -> str | None:
        """Return the next turn; see `UserSimulator`."""
        turn = self._next(answer)
        if turn is not None:
            self._left.remove(turn)
            return turn.text
        if "?" not in answer or (
            self._parting and _likeness(self._parting, answer) >= SAME_FAILURE
        ):
            return None
        return self._again()

    def _next(self, answer: str) -> UserTurn | None:
        fitting = [t for t in self._left if not t.reaction or self._shows_again(t, answer)]
        if not fitting:
            return None
        if "?" in answer:
            asked = max(fitting, key=lambda turn: _likeness(turn.after, answer))
            if _likeness(asked.after, answer) >= SAME_QUESTION:
                return asked
        return fitting[0]

    def _shows_again(self, turn: UserTurn, answer: str) -> bool:
        """Whether ``answer`` is what ``turn`` was a reaction to, in its words and in what it tells."""
        if not turn.after or _likeness(turn.after, answer) < SAME_FAILURE:
            return False
        recorded = _numbers(turn.after) - self._numbers
        return 2 * len(recorded & _numbers(answer)) >= len(recorded)

    def _again(self) -> str | None:
        facts, self._untold = self._untold or self._facts, []
        if not facts or self._repeats >= MAX_REPEATS:
            return None
        self._repeats += 1
        return ", ".join(dict.fromkeys(facts))


def scripted_user(request: EpisodeRequest) -> UserSimulator:
    """Make the recorded user of a request's scenario."""
    return ScriptedUser(request.scenario.content)


def _likeness(recorded: str, answer: str) -> float:
    """Return the share of the distinct words of ``recorded`` that ``answer`` has, 0 to 1."""
    words = _words(recorded)
    return len(words & _words(answer)) / len(words) if words else 0.0


def _numbers(text: str) -> frozenset[str]:
    """Return the values with a digit: amounts, dates, periods, ids."""
    return frozenset(value for value in values_in(text) if any(map(str.isdigit, value)))


def _words(text: str) -> frozenset[str]:
    found: Sequence[str] = _WORD.findall(text.casefold())
    return frozenset(found)
