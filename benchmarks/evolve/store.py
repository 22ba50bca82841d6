"""The store of the simulation: spans of a day in, outcomes of a sample of its runs, one analysis after."""

import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files

import numpy as np

from benchmarks.evolve.world import Requests, RunTruth
from spanloop.exporter.render import quote_string
from spanloop.optimizer.context import Context
from tests.support.analysis import AnalysisStore

LABELLED = 0.3
"""Share of runs whose outcome is known, drawn at random; the others' is not."""


def insert_day(store: AnalysisStore, requests: Requests, batch_id: str) -> None:
    """Insert the spans of ``requests`` through the landing table, as the receiver does."""
    batch = batch_id.encode()[:16].ljust(16, b".")
    own = _varint(1002 << 3 | 1) + time.time_ns().to_bytes(8, "little")
    own += _varint(1004 << 3 | 2) + _varint(len(batch)) + batch
    schema = files("spanloop.proto").joinpath("otlp_traces.proto")
    with tempfile.NamedTemporaryFile(suffix=".bin") as segment:
        for request in requests:
            body = request.SerializeToString()
            segment.write(_varint(len(body) + len(own)) + body + own)
        segment.flush()
        store.client.command(
            f"INSERT INTO otlp_traces_in FROM INFILE {quote_string(segment.name)} "
            f"SETTINGS format_schema = {quote_string(f'{schema}:Request')}, max_threads = 1, "
            "max_partitions_per_insert_block = 0, input_format_parallel_parsing = 0, "
            "query_plan_merge_expressions = 0 FORMAT Protobuf"
        )


def insert_outcomes(
    store: AnalysisStore, truth: Sequence[RunTruth], end: datetime, rng: np.random.Generator
) -> None:
    """Insert what came of a random sample of the day's runs."""
    rows = [
        [
            f"outcome-{known.conversation}",
            known.conversation,
            "outcome",
            "resolved",
            float(known.content),
            float(known.content),
            "sampled",
            LABELLED,
            "analysis",
            end,
            1,
        ]
        for known in truth
        if rng.random() < LABELLED
    ]
    store.client.insert(
        "assessments",
        rows,
        column_names=[
            "AssessmentId",
            "ConversationId",
            "Source",
            "Name",
            "Score",
            "Satisfied",
            "Selection",
            "SelectionProbability",
            "Carrier",
            "Timestamp",
            "Version",
        ],
    )


def analysis_context(store: AnalysisStore) -> Context:
    """Return the context of an analysis now: what a day brought is closed, simulated days being past."""
    return store.context(time.time_ns() // 1_000_000, idle_s=0)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes([*encoded, number])
