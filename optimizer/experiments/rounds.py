"""Rounds of episodes: asked of the budget, played side by side, stored, judged; found again after kill -9."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType

from spanloop.optimizer.context import Context
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.experiments.plan import Slot
from spanloop.optimizer.experiments.runs import Planned, Run, slot_of, tokens_of
from spanloop.optimizer.experiments.storing import write_runs
from spanloop.optimizer.models.budget import Reservation
from spanloop.optimizer.models.chat import close_connections
from spanloop.optimizer.replay.episode import EpisodeRequest, EpisodeResult
from spanloop.optimizer.replay.playing import play_all
from spanloop.optimizer.scenarios.scenario import Scenario
from spanloop.processor.errors import RetryableError

MOST_LOST = 0.5
"""Share of a round that may get lost; above it something is down, and going on would only use up attempts."""


class Outage(RetryableError):
    """Most episodes of a round got lost: what they need is down."""


class Rounds:
    """Plays rounds on one event loop; rows are read and written between them, outside of it.

    Attributes:
        runs: all episodes so far, by their place.
        played: episodes played here.
        recovered: episodes that a process had played which died before it stored how they ended.
    """

    def __init__(
        self,
        context: Context,
        parts: ExperimentParts,
        *,
        stored: Iterable[Run],
        may_recover: bool,
    ) -> None:
        self._context = context
        self._parts = parts
        # The round that was under way when a process died is the first that is found missing.
        self._may_recover = may_recover
        self._loop = asyncio.Runner()
        self.runs: dict[Slot, Run] = {slot_of(run): run for run in stored}
        self.played = self.recovered = 0

    def __enter__(self) -> "Rounds":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what the target holds in the event loop, then the loop."""
        with self._loop as loop:
            loop.run(close_connections(self._parts.target))

    def play(self, planned: Sequence[Planned]) -> None:
        """Play one round, in an order that mixes arms and is the same each time.

        Raises:
            BudgetExhausted: not all of it was played.
            Outage: most of it got lost.
        """
        # Ids are hashes, so their order tells nothing about arms.
        waiting = self._recover({each.request.run_id: each for each in planned})
        if not waiting:
            return
        held = self._ask_lease(len(waiting))
        attempt = max(each.attempt for each in waiting.values())
        started_ms = self._parts.clock_ms()
        ended: list[EpisodeResult] = []
        try:
            self._loop.run(
                self._play_after(
                    self._parts.pause_s * 2 ** (attempt - 1) if attempt else 0.0,
                    [waiting[run_id].request for run_id in sorted(waiting)],
                    ended,
                )
            )
        finally:  # what ended is stored, whatever broke the round off
            self.played += len(ended)
            self._settle(held, ended)
            self._store(waiting, _kept(ended), started_ms)
        if _is_outage(ended):
            raise Outage("most episodes got lost; the model, the agent or the receiver is down")

    def judge(
        self, runs: Iterable[Run], scenarios: Mapping[str, Scenario], *, gold: Collection[str] = ()
    ) -> Sequence[Run]:
        """Judge, and return, those of ``runs`` that ended and are not judged.

        Args:
            runs: any.
            scenarios: of theirs, by id.
            gold: scenarios drawn for it, by id.
        """
        waiting = {run.run_id: run for run in runs if run.to_judge}
        if not waiting:
            return []
        assessed = self._parts.assessor.assess(
            {run_id: scenarios[waiting[run_id].scenario_id] for run_id in sorted(waiting)},
            gold={run_id for run_id, run in waiting.items() if run.scenario_id in gold},
        )
        now_ms = self._parts.clock_ms()
        judged = [
            replace(run, assessed=assessed[run_id], version=max(now_ms, run.version + 1))
            for run_id, run in waiting.items()
        ]
        self._keep(judged)
        return judged

    async def _play_after(
        self, pause_s: float, requests: Sequence[EpisodeRequest], ended: list[EpisodeResult]
    ) -> None:
        await asyncio.sleep(pause_s)
        await play_all(
            requests,
            self._parts.target,
            self._parts.limiter,
            lambda _, result: ended.append(result),
        )

    def _recover(self, planned: Mapping[str, Planned]) -> Mapping[str, Planned]:
        """Store what a process had played that died; return what is left to be played."""
        if not self._may_recover:
            return planned
        self._may_recover = False
        told = self._parts.recover(list(planned))
        found = {each.run_id: each for each in _kept(list(told.values()))}
        self.recovered += len(found)
        self._store(planned, list(found.values()), self._parts.clock_ms())
        return {run_id: each for run_id, each in planned.items() if run_id not in found}

    def _ask_lease(self, episodes: int) -> Sequence[Reservation]:
        """Begin no round that may not be paid for: a pair broken off tells nothing.

        Returns what `_settle` closes, one for each episode whose target does not spend from the lease.
        """
        tokens, usd = self._dearest([run.result for run in self.runs.values() if not run.lost])
        # What nobody knows yet is not asked for here; the target asks before each call.
        lease = self._parts.lease
        lease.reserve((tokens or 0) * episodes, (usd or 0.0) * episodes).cancel()
        # They hold nothing back: calls of a played user need the same lease meanwhile.
        count = 0 if self._parts.target.spends_lease else episodes
        return [lease.reserve(0, 0.0) for _ in range(count)]

    def _settle(self, held: Sequence[Reservation], ended: Sequence[EpisodeResult]) -> None:
        """Take what episodes that ended cost, their bound where they do not say."""
        known = [run.result for run in self.runs.values()]
        tokens_at_most, usd_at_most = self._dearest([*known, *ended])
        for reservation, each in zip(
            held, ended, strict=False
        ):  # others did not end, or none is held
            tokens, usd = tokens_of(each), each.cost_usd
            reservation.settle(
                (tokens_at_most or 0) if tokens is None else tokens,
                usd_at_most if usd is None else usd,
            )
        for reservation in held[len(ended) :]:
            reservation.cancel()

    def _dearest(self, known: Sequence[EpisodeResult]) -> tuple[int | None, float | None]:
        """Return the most tokens and US dollars of an episode so far, the configured bound before any."""
        tokens = [total for each in known if (total := tokens_of(each)) is not None]
        prices = [each.cost_usd for each in known if each.cost_usd is not None]
        return (
            max(tokens, default=self._parts.tokens_an_episode),
            max(prices, default=self._parts.usd_an_episode),
        )

    def _store(
        self, planned: Mapping[str, Planned], ended: Sequence[EpisodeResult], started_ms: int
    ) -> None:
        now_ms = self._parts.clock_ms()
        self._keep(
            [
                planned[each.run_id].ended(each, started_ms=started_ms, now_ms=now_ms)
                for each in ended
            ]
        )

    def _keep(self, runs: Sequence[Run]) -> None:
        write_runs(self._context, runs)
        self.runs.update({slot_of(run): run for run in runs})


def _is_outage(ended: Sequence[EpisodeResult]) -> bool:
    return sum(each.state == "infrastructure" for each in ended) > MOST_LOST * len(ended)


def _kept(ended: Sequence[EpisodeResult]) -> Sequence[EpisodeResult]:
    """Return what counts as an attempt: what an outage lost is played again as if it had not been."""
    if not _is_outage(ended):
        return ended
    return [each for each in ended if each.state != "infrastructure"]
