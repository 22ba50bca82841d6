"""Audit samples: chance says which trajectories a person looks at, so that their labels speak for all.

Labels of a random sample are the only ones that may correct a rate: people who rate of their own accord are
not a random sample. A sample is labelled in the random order it was drawn in, so that what is done so far is
a random sample too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.random import Generator

from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context
from spanloop.processor.errors import PermanentError
from spanloop.processor.feedback import digest

Verdict = Literal["yes", "no", "unsure"]
VERDICTS: Mapping[Verdict, float | None] = {"yes": 1.0, "no": 0.0, "unsure": None}
"""What a reviewer may say → satisfied, None where it cannot be told."""

NAME = "satisfaction"
_SAMPLE_COLUMNS = (
    "SampleId",
    "TrajectoryId",
    "Project",
    "Stratum",
    "Probability",
    "Position",
    "Population",
    "Filters",
    "Seed",
    "DrawnAt",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What to draw: ``n`` comparable trajectories, '' and None standing for any.

    Attributes:
        n: trajectories, at least one.
        since: start at or after this time (ISO 8601).
        stratified: within each agent in proportion, so that none is missed by chance.
    """

    n: int = 50
    agent: str = ""
    release: str = ""
    since: str | None = None
    stratified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A trajectory of a sample, and what reviewers said of it so far."""

    sample: str
    trajectory: str
    position: int
    stratum: str
    probability: float
    drawn_at: datetime
    present: bool
    labels: Sequence[str]


def draw_sample(context: Context, draw: Draw) -> dict[str, Any]:
    """Draw and store a sample by ``context.seed``; return its id, size and population.

    Raises:
        PermanentError: there is nothing to draw from.
    """
    filters = {
        "agent": draw.agent,
        "release": draw.release,
        "since": _parsed(draw.since),
        "stratified": draw.stratified,
        "completeness": COMPARABLE_COMPLETENESS,
    }
    population = [(str(s), int(n)) for s, n in context.rows("feedback/select_population", filters)]
    if not population:
        raise PermanentError(
            "there is no closed, complete trajectory to draw from: run `spanloop analyze` first, "
            "or name a wider choice"
        )
    sample_id = digest([str(context.now_ms), str(context.seed), json.dumps(asdict(draw))])[:12]
    chosen = _chosen(context, filters, population, draw.n)
    drawn_at = datetime.fromtimestamp(context.now_ms / 1000, UTC)
    told = [json.dumps(asdict(draw)), context.seed, drawn_at]
    context.client.insert(
        "label_samples",
        [[sample_id, *row, *told] for row in chosen],
        column_names=_SAMPLE_COLUMNS,
        database=context.renderer.settings.database,
    )
    return {
        "sample": sample_id,
        "drawn": len(chosen),
        "population": sum(n for _, n in population),
        "strata": len(population) if draw.stratified else 0,
        "seed": context.seed,
    }


def _chosen(
    context: Context, filters: Mapping[str, Any], population: Sequence[tuple[str, int]], n: int
) -> list[list[Any]]:
    """Return trajectory, project, stratum, probability, position and population of what chance chose."""
    rng = np.random.default_rng(context.seed)
    sizes = allocate([n_stratum for _, n_stratum in population], n)
    found: list[tuple[str, str, str, float, int]] = []
    for (stratum, n_stratum), size in zip(population, sizes, strict=True):
        positions = draw_positions(n_stratum, size, rng)
        rows = context.rows(
            "feedback/select_drawn", {**filters, "stratum": stratum, "positions": positions}
        )
        found += [(t, project, stratum, size / n_stratum, n_stratum) for t, project in rows]
    order = rng.permutation(len(found))
    return [
        [t, project, stratum, probability, int(place) + 1, n_stratum]
        for (t, project, stratum, probability, n_stratum), place in zip(found, order, strict=True)
    ]


def allocate(populations: Sequence[int], n: int) -> list[int]:
    """Divide ``n`` in proportion to ``populations``, each at least one and none more than it has.

    >>> allocate([90, 9, 1], 10)
    [8, 1, 1]
    >>> allocate([3, 2], 50)
    [3, 2]
    """
    total = sum(populations)
    wanted = min(max(n, len(populations)), total)
    sizes = [min(1, size) for size in populations]
    while sum(sizes) < wanted:  # one by one to whom is owed most: at most n rounds
        owed = [
            size * wanted / total - got if got < size else -float("inf")
            for size, got in zip(populations, sizes, strict=True)
        ]
        sizes[owed.index(max(owed))] += 1
    return sizes


def draw_positions(population: int, n: int, rng: Generator) -> list[int]:
    """Return ``n`` different positions of 1 to ``population``, every set of them equally likely."""
    chosen = rng.choice(population, size=n, replace=False, shuffle=False)
    return sorted(int(position) + 1 for position in chosen)


def sampled(context: Context, sample: str = "", trajectory: str = "") -> list[Sampled]:
    """Return what samples hold, the newest first, each in the order in which to label."""
    rows = context.rows("feedback/select_sampled", {"sample": sample, "trajectory": trajectory})
    return [
        Sampled(
            sample=s,
            trajectory=t,
            position=int(position),
            stratum=stratum,
            probability=float(probability),
            drawn_at=drawn_at,
            present=bool(present),
            labels=list(labels),
        )
        for s, t, position, stratum, probability, drawn_at, present, labels in rows
    ]


def sample_status(context: Context) -> list[dict[str, Any]]:
    """Return each sample with how much of it is labelled, the newest first."""
    samples: dict[str, list[Sampled]] = {}
    for row in sampled(context):
        samples.setdefault(row.sample, []).append(row)
    return [_status(name, rows) for name, rows in samples.items()]


def _status(name: str, rows: Sequence[Sampled]) -> dict[str, Any]:
    told = [row for row in rows if {"yes", "no"} & set(row.labels)]
    unsure = [row for row in rows if row.labels and row not in told]
    gone = [row for row in rows if not row.labels and not row.present]
    left = len(rows) - len(told) - len(unsure) - len(gone)
    return {
        "sample": name,
        "drawn_at": rows[0].drawn_at.isoformat(timespec="seconds"),
        "size": len(rows),
        "labelled": len(told),
        "unsure": len(unsure),
        "disagreeing": sum({"yes", "no"} <= set(row.labels) for row in told),
        "gone": len(gone),
        "left": left,
        "complete": left == 0,
    }


def next_to_label(context: Context, sample: str = "") -> dict[str, Any] | None:
    """Return the next trajectory to look at, of ``sample`` or the newest; None where all are done.

    Raises:
        PermanentError: there is no such sample.
    """
    rows = sampled(context, sample)
    if not rows:
        what = f"no sample {sample!r}" if sample else "no sample yet"
        raise PermanentError(f"{what}: draw one with `spanloop label draw`")
    rows = [row for row in rows if row.sample == rows[0].sample]
    left = [row for row in rows if row.present and not row.labels]
    if not left:
        return None
    return {
        "sample": left[0].sample,
        "trajectory": left[0].trajectory,
        "position": left[0].position,
        "left": len(left),
        "size": len(rows),
    }


def set_label(
    context: Context, name: str, verdict: Verdict, *, reviewer: str, note: str = ""
) -> dict[str, Any]:
    """Store what ``reviewer`` says of a trajectory, in every sample that holds it; a later word replaces it.

    Outside any sample it is a label whose target was chosen by hand (``targeted``): it corrects no rate.

    Raises:
        PermanentError: no trajectory, or more than one, is called that; or the verdict is none.
    """
    if verdict not in VERDICTS:
        raise PermanentError(f"{verdict!r} is none of {', '.join(VERDICTS)}")
    trajectory, project, conversation, trace = _target(context, name)
    trace = "" if conversation else trace
    places = sampled(context, trajectory=trajectory)
    drawn: list[tuple[str, float | None]] = [(p.sample, p.probability) for p in places]
    rows = [
        {
            "AssessmentId": digest([project, trace, conversation, NAME, sample, reviewer]),
            "Project": project,
            "TraceId": trace,
            "ConversationId": conversation,
            "Source": "label",
            "Name": NAME,
            "Label": verdict,
            "Satisfied": VERDICTS[verdict],
            "Explanation": note[:2_000] or None,
            "Assessor": reviewer[:200],
            "Selection": "targeted" if probability is None else "sampled",
            "SelectionProbability": probability,
            "SampleId": sample,
            "Carrier": "command",
            "Timestamp": datetime.fromtimestamp(context.now_ms / 1000, UTC),
            "Version": context.now_ms,
        }
        for sample, probability in drawn or [("", None)]
    ]
    context.client.insert(
        "assessments",
        [list(row.values()) for row in rows],
        column_names=list(rows[0]),
        database=context.renderer.settings.database,
    )
    return {
        "trajectory": trajectory,
        "satisfied": verdict,
        "reviewer": reviewer,
        "samples": [sample for sample, _ in drawn],
    }


def _target(context: Context, name: str) -> tuple[str, str, str, str]:
    found = context.rows("feedback/select_target", {"name": name})
    if not name or not found:
        raise PermanentError(f"there is no trajectory {name!r}")
    if len(found) > 1 and found[0][0] != name and found[0][2] != name:
        raise PermanentError(f"{name!r} begins the id of several trajectories; give more of it")
    trajectory, project, conversation, trace = found[0]
    return str(trajectory), str(project), str(conversation), str(trace)


def _parsed(since: str | None) -> datetime:
    if since is None:
        return datetime(1970, 1, 1, tzinfo=UTC)
    try:
        parsed = datetime.fromisoformat(since)
    except ValueError:
        raise PermanentError(f"{since!r} is no date or time such as 2026-11-25") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
