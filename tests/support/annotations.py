"""What annotations are tested with: notes, and a sender that keeps what it is given."""

from collections.abc import Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.trace import ReadableSpan

from spanloop.optimizer.annotations.note import Evaluation, Note, Target

TRACE, SPAN = "a" * 32, "b" * 16


class KeptSender:
    """Keeps spans and log events; acknowledges at most ``takes`` spans of a call (None = all)."""

    def __init__(self, *, takes: int | None = None, takes_logs: bool = True) -> None:
        self.takes = takes
        self.takes_logs = takes_logs
        self.spans: list[ReadableSpan] = []
        self.logs: list[ReadableLogRecord] = []

    def send_spans(self, spans: Sequence[ReadableSpan]) -> int:
        """What is not acknowledged has arrived all the same: the worst that can happen."""
        self.spans += spans
        return len(spans) if self.takes is None else min(self.takes, len(spans))

    def send_logs(self, records: Sequence[ReadableLogRecord]) -> int:
        if not self.takes_logs:
            return 0
        self.logs += records
        return len(records)

    def payloads(self) -> set[bytes]:
        """The distinct spans, as a viewer that drops repeats keeps them."""
        return {payload(span) for span in self.spans}

    def ids(self) -> list[str]:
        return [span_id(span) for span in self.spans]


def payload(span: ReadableSpan) -> bytes:
    encoded: bytes = encode_spans([span]).SerializeToString(deterministic=True)
    return encoded


def span_id(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def make_target(**changes: Any) -> Target:
    start = 1_700_000_000_000_000_000
    values = {"trace_id": TRACE, "span_id": SPAN, "start_ns": start, "end_ns": start + 5_000_000}
    return Target(**{**values, **changes})


def note(**changes: Any) -> Note:
    target = changes.pop("target", make_target())
    said = {
        "label": changes.pop("label", "context_gap"),
        "score": changes.pop("score", None),
        "explanation": changes.pop("explanation", "why"),
    }
    values: dict[str, Any] = {
        "kind": "pattern",
        "identifier": "p1",
        "project": "default",
        "agent": "shop",
        "target": target,
        "name": "pattern context_gap",
        "found_ms": 1_700_000_100_000,
        "moment_ms": 1_700_000_000_000,
        "evaluation": Evaluation(name="failure_pattern", **said),
        "links": (target,),
    }
    return Note(**{**values, **changes})
