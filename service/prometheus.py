"""The server's own health as text for ``/metrics`` (Prometheus text format 0.0.4)."""

import time

from spanloop.receiver.log import Log
from spanloop.receiver.telemetry import Telemetry

COUNTERS = {
    "requests": "Export requests received.",
    "acked_items": "Spans, log records and data points acknowledged as durable.",
    "rejected_items": "Items left out for good by partial_success.",
    "refused_requests": "Requests refused as retryable (caps, disk).",
    "invalid_requests": "Requests that can never be accepted.",
    "duplicate_requests": "Identical retries recognised.",
    "slow_path_requests": "Requests rewritten because of maps, nested arrays or unknown fields.",
    "unknown_field_bytes": "Bytes of fields this version does not know, ignored.",
    "received_bytes": "Bytes of request bodies after decompression.",
    "stored_rows": "Rows verified in the database.",
    "inserts": "Segments stored.",
    "insert_retries": "Inserts whose outcome was unknown and that are tried again.",
    "dead_letters": "Records set aside because the database cannot read them.",
}


def gauges(log: Log) -> dict[str, tuple[str, float]]:
    """Return name → (help, value) of what is measured now."""
    oldest_ns = log.oldest_received_ns
    age_s = 0.0 if oldest_ns is None else max(0.0, time.time() - oldest_ns / 1e9)
    return {
        "log_bytes": ("Bytes of the log not stored yet.", float(log.n_bytes)),
        "log_segments": (
            "Sealed segments not stored yet.",
            float(sum(log.waiting_segments.values())),
        ),
        "oldest_unstored_age_seconds": ("Age of the oldest request not stored yet.", age_s),
        "dead_letter_files": ("Dead letters on disk.", float(len(log.dead_letters))),
    }


def render(telemetry: Telemetry, log: Log) -> str:
    """Return every counter and gauge in the text format."""
    lines: list[str] = []
    counters = telemetry.snapshot()
    for name, text in COUNTERS.items():
        lines += [f"# HELP spanloop_{name}_total {text}", f"# TYPE spanloop_{name}_total counter"]
        lines += [
            f'spanloop_{name}_total{{signal="{signal}"}} {value}'
            for (counter, signal), value in sorted(counters.items())
            if counter == name
        ]
    for name, (text, value) in gauges(log).items():
        lines += [
            f"# HELP spanloop_{name} {text}",
            f"# TYPE spanloop_{name} gauge",
            f"spanloop_{name} {value!r}",
        ]
    return "\n".join(lines) + "\n"
