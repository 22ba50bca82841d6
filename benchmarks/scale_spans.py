"""Spans of a million made-up conversations, generated inside the engine.

The mix: six in ten conversations name themselves and have a trace a turn (agent, model call, tool, model
call); two in ten are one trace; two in ten are bare model calls, a trace each, joined by nothing but the
history that they carry. About ten spans a trajectory, one to nine turns; every model call carries the whole
history. Tools fail now and then, more often for some intents; a few users give feedback.

Spans are inserted into ``otel_traces``, so that every view runs as it does when they are received.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clickhouse_connect.driver.client import Client

BATCH = 20_000
"""Trajectories an insert: about 200,000 spans."""

FIRST_DAY = "2026-09-01 00:00:00"
DAYS = 30
"""The stored trajectories start on these days; those of the next cycle on the day after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Trajectories ``first`` to ``first + count - 1``.

    ``later`` puts them on the day after the stored ones; ``continued`` makes one more turn of
    those that exist.
    """

    first: int
    count: int
    later: bool = False
    continued: bool = False


def insert(client: Client, wave: Wave) -> Iterator[int]:
    """Insert the spans and feedback of ``wave``; yield how many trajectories each insert had."""
    spans, feedback = _statement("scale_spans"), _statement("scale_feedback")
    settings = {"max_partitions_per_insert_block": 0, "max_threads": 2, "max_insert_threads": 1}
    for first in range(wave.first, wave.first + wave.count, BATCH):
        count = min(BATCH, wave.first + wave.count - first)
        parameters = {
            "first": first,
            "count": count,
            "later": wave.later,
            "continued": wave.continued,
            "first_day": FIRST_DAY,
            "days": DAYS,
            "batch": f"scale-{first}-{wave.continued}",
        }
        client.command(spans, parameters=parameters, settings=settings)
        if not wave.continued:
            client.command(feedback, parameters=parameters, settings=settings)
        yield count


def _statement(name: str) -> str:
    return Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")
