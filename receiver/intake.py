"""What happens to a request between the wire and its acknowledgement, whatever the transport."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from spanloop.processor.errors import InvalidRequest, RetryableError
from spanloop.receiver.check import Checked, check
from spanloop.receiver.complex_values import Redact
from spanloop.receiver.digests import digest
from spanloop.receiver.log import Log
from spanloop.receiver.otlp_messages import Signal
from spanloop.receiver.telemetry import (
    ACKED,
    DUPLICATE,
    INVALID,
    RECEIVED_BYTES,
    REFUSED,
    REJECTED,
    REQUESTS,
    SLOW_PATH,
    UNKNOWN_BYTES,
    Telemetry,
)
from spanloop.receiver.wal import Append

# A request up to this size is checked in place (some 10 ms); a larger one would stall the event loop.
CHECKED_AT_ONCE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a client is told: how many items were ``rejected`` for good, and why."""

    rejected: int = 0
    message: str = ""


class Intake:
    """Checks a request, logs it, and returns once it is durable.

    ``clock_ns`` returns Unix time in nanoseconds. With ``redact``, every text value is logged (and so
    stored) as it returns it; each request is then rewritten.
    """

    def __init__(
        self,
        log: Log,
        telemetry: Telemetry,
        clock_ns: Callable[[], int] = time.time_ns,
        *,
        redact: Redact | None = None,
    ) -> None:
        self._redact = redact
        self._log = log
        self._telemetry = telemetry
        self._clock_ns = clock_ns

    async def accept(self, signal: Signal, body: bytes, project: str) -> Acknowledgement:
        """Take ``body``, a protobuf Export…ServiceRequest.

        Raises:
            InvalidRequest: it can never be accepted.
            RetryableError: it was not kept; the client should send it again.
        """
        self._telemetry.add(REQUESTS, signal)
        self._telemetry.add(RECEIVED_BYTES, signal, len(body))
        try:
            checked = await self._check(signal, body)
        except InvalidRequest:
            self._telemetry.add(INVALID, signal)
            raise
        self._count(signal, checked)
        if checked.n_rows:
            try:
                await self._make_durable(signal, body, checked, project)
            except RetryableError:
                self._telemetry.add(REFUSED, signal)
                raise
        return Acknowledgement(checked.rejected, checked.message)

    async def _check(self, signal: Signal, body: bytes) -> Checked:
        """Check on a thread where it would hold up every other request for long."""
        if len(body) <= CHECKED_AT_ONCE_BYTES and self._redact is None:
            return check(signal, body)
        return await asyncio.to_thread(check, signal, body, redact=self._redact)

    def _count(self, signal: Signal, checked: Checked) -> None:
        if checked.slow:
            self._telemetry.add(SLOW_PATH, signal)
            self._telemetry.add(UNKNOWN_BYTES, signal, checked.unknown_bytes)
        if checked.rejected:
            self._telemetry.add(REJECTED, signal, checked.rejected)

    async def _make_durable(
        self, signal: Signal, body: bytes, checked: Checked, project: str
    ) -> None:
        # Only spans carry ids that make equal bytes the same data: two equal log or metric requests
        # may both be meant.
        key = digest(project, body) if signal == "traces" else None
        now_ns = self._clock_ns()
        if key is not None:
            original = self._log.digests.claim(key, now_ns=now_ns)
            if original is not None:
                self._telemetry.add(DUPLICATE, signal)
                await asyncio.wrap_future(original)
                return
        loop = asyncio.get_running_loop()
        durable: asyncio.Future[None] = loop.create_future()

        def on_durable(error: Exception | None) -> None:
            if key is not None:
                self._log.digests.settle(key, now_ns=self._clock_ns(), error=error)
            loop.call_soon_threadsafe(_resolve, durable, error)

        request = Append(
            body=checked.body,
            rows=checked.rows,
            project=project,
            received_ns=now_ns,
            digest=key,
            on_durable=on_durable,
        )
        try:
            self._log.append(signal, request)
        except Exception as refused:
            if key is not None:  # or its retries would wait for ever
                self._log.digests.settle(key, now_ns=now_ns, error=refused)
            raise
        await durable
        # Here and not for a recognised retry: what is stored must be able to catch up with this count.
        self._telemetry.add(ACKED, signal, checked.n_rows)


def _resolve(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():  # the client went away; what it sent is stored all the same
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
