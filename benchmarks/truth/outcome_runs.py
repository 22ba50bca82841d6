"""The runs of one set as `outcome_auc` compares them: what the product knows of them, and what is true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.truth.load import TruthData
from spanloop.optimizer.context import Context
from spanloop.optimizer.satisfaction.examples import Loaded, load_examples
from spanloop.optimizer.satisfaction.model import Examples

Floats = NDArray[np.float64]

ALL = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Runs of one set, in one order.

    Attributes:
        examples: as the product's model sees them.
        outcome: (n,) 1.0 success, 0.0 not; or satisfaction.
        graded: outcome is satisfaction, a number.
        tasks, agents, domains: of each run; they are nobody's features.
        texts: what was said and called, for the baselines.
        spans: (n,) how many.
    """

    examples: Examples
    outcome: Floats
    graded: bool
    tasks: Sequence[str]
    agents: Sequence[str]
    domains: Sequence[str]
    texts: Sequence[str]
    spans: Floats


def runs_by_set(data: TruthData) -> dict[str, Runs]:
    """Return set → runs, for sets whose ground truth holds an outcome."""
    loaded = load_examples(data.context, newest=ALL, words=True)
    place = {name: i for i, name in enumerate(loaded.ids)}
    texts, spans = _texts(data.context), _spans(data.context)
    found: dict[str, Runs] = {}
    for name in data.sets:
        rows = [
            row
            for row in data.truth
            if row["set"] == name and _outcome(row) is not None and row["trajectory_id"] in place
        ]
        if rows:
            found[name] = _runs(rows, loaded, place, (texts, spans))
    return found


def pooled(parts: Sequence[Runs]) -> Runs:
    """Return the runs of all ``parts``, whose outcomes are of one kind."""
    return Runs(
        examples=Examples(
            numbers=np.vstack([part.examples.numbers for part in parts]),
            counts=sparse.csr_array(sparse.vstack([part.examples.counts for part in parts])),
            groups=[group for part in parts for group in part.examples.groups],
        ),
        outcome=np.concatenate([part.outcome for part in parts]),
        graded=parts[0].graded,
        tasks=[task for part in parts for task in part.tasks],
        agents=[agent for part in parts for agent in part.agents],
        domains=[domain for part in parts for domain in part.domains],
        texts=[text for part in parts for text in part.texts],
        spans=np.concatenate([part.spans for part in parts]),
    )


def _runs(
    rows: Sequence[Mapping[str, Any]],
    loaded: Loaded,
    place: Mapping[str, int],
    told: tuple[Mapping[str, str], Mapping[str, int]],
) -> Runs:
    ids = [str(row["trajectory_id"]) for row in rows]
    return Runs(
        examples=loaded.examples.subset(np.array([place[i] for i in ids], dtype=np.int64)),
        outcome=np.array([_outcome(row) for row in rows], dtype=np.float64),
        graded="satisfaction" in rows[0],
        tasks=[_task(row) for row in rows],
        agents=[str(row.get("agent") or "") for row in rows],
        domains=[str(row.get("domain") or "") for row in rows],
        texts=[told[0][i] for i in ids],
        spans=np.array([told[1][i] for i in ids], dtype=np.float64),
    )


def _outcome(row: Mapping[str, Any]) -> float | None:
    value = row.get("satisfaction", row.get("success"))
    return None if value is None else float(value)


def _task(row: Mapping[str, Any]) -> str:
    task = row.get("task_id")
    if task is None:  # then a conversation is its own task
        return str(row.get("conversation_id") or row["trace_id"])
    return f"{row.get('domain') or ''}/{task}"


def _texts(context: Context) -> dict[str, str]:
    """Return one line of tokens for each trajectory: words by role, calls by name and status."""
    steps = context.renderer.table("trajectory_steps")
    rows = context.client.query(
        f"SELECT TrajectoryId, Kind, Name, Status, lower(substringUTF8(ifNull(Text, ''), 1, 1500)) "  # noqa: S608
        f"FROM {steps} FINAL ORDER BY TrajectoryId, Step"
    ).result_rows
    tokens: dict[str, list[str]] = {}
    for trajectory, kind, name, status, text in rows:
        found = tokens.setdefault(trajectory, [])
        if kind == "tool":
            found += [f"tool:{name}", f"{status}:{name}"]
        else:
            found += [f"{kind[:1]}_{word}" for word in text.split()[:200]]
    return {trajectory: " ".join(found) for trajectory, found in tokens.items()}


def _spans(context: Context) -> dict[str, int]:
    traces = context.renderer.table("trajectory_traces")
    spans = context.renderer.table("otel_traces")
    rows = context.client.query(
        f"SELECT told.TrajectoryId, sum(counted.n) "  # noqa: S608
        f"FROM (SELECT TraceId, TrajectoryId FROM {traces} FINAL) AS told "
        f"INNER JOIN (SELECT TraceId, count() AS n FROM {spans} GROUP BY TraceId) AS counted "
        "ON counted.TraceId = told.TraceId GROUP BY told.TrajectoryId"
    ).result_rows
    return {str(trajectory): int(n) for trajectory, n in rows}
