"""The agent as a Python callable, in this process: ``module:callable``.

``callable(configuration, run_id)`` begins a conversation and returns ``say``; ``say(message)`` returns the
answer. Both may be async. Each conversation has a thread of its own, whose OpenTelemetry context holds the
run as remote parent and as baggage, so that the agent's spans join its trace.
"""

import asyncio
import contextlib
import importlib
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, cast

from opentelemetry import baggage, context, trace
from opentelemetry.context import Context

from spanloop.optimizer.replay import semconv
from spanloop.optimizer.replay.ending import Ended
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.replay.outside import OutsideTarget, Session
from spanloop.optimizer.replay.recorder import root_context
from spanloop.processor.errors import ConfigError

MAX_ABANDONED = 32
"""Threads that a time-out left behind, after which nothing is begun: Python cannot end a thread."""

Say = Callable[[str], str | Awaitable[str]]
Begin = Callable[[Mapping[str, Any], str], Say | Awaitable[Say]]


class PythonTarget(OutsideTarget):
    """Plays episodes with the callable named by ``path``."""

    name = "python"

    def __init__(self, path: str, **ports: Any) -> None:
        super().__init__(**ports)
        self._begin = load(path)
        self._threads: list[_Thread] = []

    def open(self, request: EpisodeRequest) -> Session:
        """Begin a conversation in a thread of its own."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        abandoned = sum(thread.abandoned for thread in self._threads)
        thread = _Thread(self._begin, request)
        if abandoned < MAX_ABANDONED:
            thread.start()
            self._threads.append(thread)
        return thread


def load(path: str) -> Begin:
    """Import ``module:callable``.

    Raises:
        ConfigError: there is none.
    """
    module, _, name = path.partition(":")
    try:
        begin = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"agent target {path!r} cannot be imported: {type(error).__name__}"
        ) from error
    if not callable(begin):
        raise ConfigError(f"agent target {path!r} cannot be called")
    return cast(Begin, begin)


class _Thread(threading.Thread):
    """One conversation; a session."""

    def __init__(self, begin: Begin, request: EpisodeRequest) -> None:
        super().__init__(name=f"run {request.run_id}", daemon=True)
        self._begin = begin
        self._request = request
        self._inbox: SimpleQueue[tuple[str, Future[str]] | None] = SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._closed = False

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._closed and self.is_alive()

    def run(self) -> None:
        """Answer messages until told to stop."""
        context.attach(run_context(self._request))
        say: Say | None = None
        for message, answer in iter(self._inbox.get, None):
            try:
                if say is None:
                    configuration = self._request.configuration.model_dump(mode="json")
                    say = cast(Say, self._value(self._begin(configuration, self._request.run_id)))
                answer.set_result(str(self._value(say(message))))
            except asyncio.CancelledError:
                answer.set_exception(Ended("timed_out", "cancelled"))
            except Exception as error:  # noqa: BLE001 - somebody's agent: whatever it raises is its crash
                answer.set_exception(Ended("crashed", type(error).__name__))
        self._loop.close()

    async def say(self, message: str) -> str:
        if not self.is_alive():
            raise Ended("infrastructure", "threads")
        answer: Future[str] = Future()
        answer.set_running_or_notify_cancel()  # what gives up waiting does not cancel it
        self._inbox.put((message, answer))
        return await asyncio.wrap_future(answer)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if not self.is_alive():
            self._loop.close()
            return
        self._inbox.put(None)
        with contextlib.suppress(RuntimeError):  # it ended meanwhile, and its loop with it
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    def _value(self, value: Any) -> Any:
        return self._loop.run_until_complete(value) if inspect.isawaitable(value) else value


def run_context(request: EpisodeRequest) -> Context:
    """Return the OpenTelemetry context of a run."""
    parent = trace.NonRecordingSpan(root_context(request.run_id, remote=True))
    made = trace.set_span_in_context(parent, Context())
    made = baggage.set_baggage(semconv.RUN_ID, request.run_id, made)
    return baggage.set_baggage(semconv.CONFIGURATION, request.configuration.hash, made)
