"""Where an entry stands by its own trials, and how transfers went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spanloop.optimizer.statistics.intervals import Interval, wilson
from spanloop.optimizer.strategies.forgetting import changed
from spanloop.optimizer.strategies.strategy import State, Strategy, Trial, Validity

RETIRE_AFTER = 6
"""Trials in a row without a ship after which an entry is retired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that was measured of an entry.

    Attributes:
        shipped: trials that shipped.
        harmed: trials that were shown or suspected worse somewhere.
        survived: of the wins that fresh traffic has judged.
        transferred: trials on agents that the entry did not come from.
        transfer_rate: share of those that shipped, Wilson interval; unknown without such a trial.
    """

    trials: int
    shipped: int
    harmed: int
    survived: Interval
    transferred: int
    transfer_rate: Interval
    tokens: int


def record_of(trials: Sequence[Trial]) -> Record:
    """Sum up ``trials``."""
    transfers = [trial for trial in trials if trial.transferred]
    judged = [trial for trial in trials if trial.survived_fresh is not None]
    return Record(
        trials=len(trials),
        shipped=sum(trial.verdict == "ship" for trial in trials),
        harmed=sum(trial.harm for trial in trials),
        survived=wilson(sum(bool(trial.survived_fresh) for trial in judged), len(judged)),
        transferred=len(transfers),
        transfer_rate=wilson(sum(trial.verdict == "ship" for trial in transfers), len(transfers)),
        tokens=sum(trial.tokens for trial in trials),
    )


def standing(strategy: Strategy, trials: Sequence[Trial], now: Mapping[str, Validity]) -> State:
    """Return the state that evidence gives to ``strategy``.

    A ship that fresh traffic did not refute proves it; where every agent that it was proven on has changed
    since, it is doubtful until it is tried again; trial after trial in vain retires it.

    Args:
        strategy: the entry; one that is retired stays so.
        trials: its own, in the order of time.
        now: what agents run on now; for one that is not named, the state stays.
    """
    if strategy.state == "retired":
        return "retired"
    latest = trials[-RETIRE_AFTER:]
    wins = [t for t in trials if t.verdict == "ship" and t.survived_fresh is not False]
    if len(latest) == RETIRE_AFTER and not any(trial in wins for trial in latest):
        return "retired"
    if not wins:
        return "hypothesis"
    holds = [
        not changed(win.validity, now[win.agent]) & {"model", "tools"}
        if win.agent in now
        else strategy.state != "doubtful"
        for win in wins
    ]
    return "proven" if any(holds) else "doubtful"


def restated(
    strategies: Sequence[Strategy], trials: Sequence[Trial], now: Mapping[str, Validity]
) -> list[Strategy]:
    """Return the entries whose state evidence has changed, in their new state."""
    moved: list[Strategy] = []
    for strategy in strategies:
        own = [trial for trial in trials if trial.strategy_id == strategy.strategy_id]
        state = standing(strategy, own, now)
        if state != strategy.state:
            moved.append(replace(strategy, state=state))
    return moved
