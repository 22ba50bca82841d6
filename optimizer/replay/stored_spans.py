"""Waiting for the spans that an agent outside told of its run."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from spanloop.optimizer.context import Context, unix_text
from spanloop.optimizer.replay.recorder import trace_id_of

CLOCKS_APART_MS = 2_000
"""Clocks of an agent and of spanloop may differ by this much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpans:
    """What is stored of a run; None where a model call does not say.

    Attributes:
        spans: GenAI spans.
        newest_ms: start of the newest, milliseconds since 1970.
        calls: model calls.
        configurations: hashes that spans are stamped with: what really ran; none = the agent stamps nothing.
    """

    spans: int
    newest_ms: int
    trace_ids: tuple[str, ...]
    calls: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    configurations: frozenset[str] = frozenset()


Look = Callable[[Sequence[str], int], Mapping[str, RunSpans]]
"""Takes run ids and since when they run (milliseconds since 1970), returns what is stored, by run."""


class SpanWatch(Protocol):
    """Where spans of a run are waited for."""

    async def wait(self, run_id: str, *, began_ms: int, last_ms: int) -> RunSpans | None:
        """Return what is stored once it is complete, as far as can be told; None if nothing came.

        ``began_ms`` and ``last_ms`` are when its first and its last message were sent.
        """
        ...


class StoredSpans:
    """Asks the store for all waiting runs at a time.

    A run is complete once something of its last turn is stored and nothing came for ``settle_s``; after
    ``deadline_s`` it is taken as it is.
    """

    def __init__(
        self, look: Look, *, settle_s: float = 1.5, deadline_s: float = 30.0, every_s: float = 0.5
    ) -> None:
        self._look = look
        self._settle_s = settle_s
        self._deadline_s = deadline_s
        self._every_s = every_s
        self._waiting: dict[str, _Waiting] = {}
        self._asking: asyncio.Task[None] | None = None

    async def wait(self, run_id: str, *, began_ms: int, last_ms: int) -> RunSpans | None:
        """Wait for the spans of one run; see `SpanWatch`."""
        done: asyncio.Future[RunSpans | None] = asyncio.get_running_loop().create_future()
        until_s = time.monotonic() + self._deadline_s
        self._waiting[run_id] = _Waiting(
            done=done, began_ms=began_ms, last_ms=last_ms, until_s=until_s
        )
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        try:
            return await done
        finally:
            self._waiting.pop(run_id, None)

    async def _ask(self) -> None:
        try:
            while self._waiting:
                since = min(waiting.began_ms for waiting in self._waiting.values())
                found = self._look(list(self._waiting), since - CLOCKS_APART_MS)
                now_s = time.monotonic()
                for run_id, waiting in list(self._waiting.items()):
                    waiting.see_inplace(found.get(run_id), now_s, self._settle_s)
                await asyncio.sleep(self._every_s)
        except Exception as error:  # noqa: BLE001 - told to everyone who waits
            for waiting in self._waiting.values():
                if not waiting.done.done():
                    waiting.done.set_exception(error)
        finally:
            self._asking = None


@dataclass(slots=True, kw_only=True)
class _Waiting:
    done: "asyncio.Future[RunSpans | None]"
    began_ms: int
    last_ms: int
    until_s: float
    seen: RunSpans | None = None
    since_s: float = 0.0

    def see_inplace(self, found: RunSpans | None, now_s: float, settle_s: float) -> None:
        if found != self.seen:
            self.seen, self.since_s = found, now_s
        complete = (
            found is not None
            and found.newest_ms >= self.last_ms - CLOCKS_APART_MS
            and now_s - self.since_s >= settle_s
        )
        if (complete or now_s >= self.until_s) and not self.done.done():
            self.done.set_result(found)


def look_in(context: Context) -> Look:
    """Return a `Look` at the store of ``context``; it asks in the thread that calls it."""

    def look(run_ids: Sequence[str], since_ms: int) -> Mapping[str, RunSpans]:
        rows = context.rows(
            "replay/select_run_spans",
            {
                "runs": list(run_ids),
                "traces": [trace_id_of(run_id) for run_id in run_ids],
                "since": unix_text(since_ms),
            },
        )
        return {
            str(run): RunSpans(
                spans=int(spans),
                newest_ms=int(newest),
                trace_ids=tuple(traces),
                calls=int(calls),
                input_tokens=tokens_in,
                output_tokens=tokens_out,
                cost_usd=usd,
                configurations=frozenset(map(str, ran)),
            )
            for run, spans, newest, traces, calls, tokens_in, tokens_out, usd, ran in rows
        }

    return look
