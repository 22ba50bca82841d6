"""The sample that mining reads: what terms can ask of each trajectory, what was said about it, about what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context
from spanloop.optimizer.patterns.peers import FRAGMENTS, NUMBER_NAMES
from spanloop.optimizer.patterns.predicates import Facts, faults_of, step_key
from spanloop.optimizer.patterns.subjects import MAX_ROWS, subjects
from spanloop.optimizer.satisfaction.features import FEATURE_VERSION

MAX_OTHERS = 6_000
"""Trajectories without a judgement in the sample: enough to tell how often a predicate holds."""
TEXT_BYTES = 2_000
"""Of an opening, and of each message of the user, that are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Rows of one mining; all sequences are as long as ``facts``.

    Attributes:
        facts: what terms can ask.
        agents: who answered: name, id, version and release.
        dissatisfied: 0 to 1; NaN where nobody said anything.
        sampled: whether that came from a random sample.
        probability: that the user was satisfied, as scored; NaN where unknown.
        openings: first message of the user, capped.
        told: all the user said, capped; '' for rows without a judgement.
        weights: by symptom, how sure its rule is of a fault, mean over its findings, 0 to 1.
    """

    facts: Sequence[Facts]
    agents: Sequence[str]
    dissatisfied: NDArray[np.float64]
    sampled: NDArray[np.bool_]
    probability: NDArray[np.float64]
    openings: Sequence[str]
    told: Sequence[str]
    weights: Mapping[str, float]

    def rows(self, chosen: NDArray[np.bool_]) -> "Sample":
        """Return the rows where ``chosen`` is true."""
        kept: list[int] = np.flatnonzero(chosen).tolist()
        return Sample(
            facts=[self.facts[i] for i in kept],
            agents=[self.agents[i] for i in kept],
            dissatisfied=self.dissatisfied[kept],
            sampled=self.sampled[kept],
            probability=self.probability[kept],
            openings=[self.openings[i] for i in kept],
            told=[self.told[i] for i in kept],
            weights=self.weights,
        )

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Rows with a judgement by a person or an outcome."""
        return ~np.isnan(self.dissatisfied)

    @property
    def agent_codes(self) -> NDArray[np.int64]:
        """Who answered, as codes from 0."""
        return codes(self.agents)


def codes(labels: Sequence[str]) -> NDArray[np.int64]:
    """Return a code from 0 per distinct label."""
    return np.unique(np.array(labels, dtype=np.str_), return_inverse=True)[1].astype(np.int64)


def read_sample(
    context: Context,
    *,
    project: str | None = None,
    max_outcomes: int = MAX_ROWS,
    max_others: int = MAX_OTHERS,
) -> Sample:
    """Draw a sample of comparable trajectories by ``context.seed`` and read it.

    Args:
        context: of the analysis.
        project: of the trajectories; None draws from all.
        max_outcomes: judged trajectories at most.
        max_others: others at most.
    """
    context.run("patterns/create_sample")
    context.run(
        "patterns/insert_sample",
        {
            "seed": context.seed,
            "project": project or "",
            "all_projects": project is None,
            "outcomes": max_outcomes,
            "others": max_others,
            "completeness": COMPARABLE_COMPLETENESS,
        },
    )
    rows = with_fragments(context, FRAGMENTS).rows(
        "patterns/select_sample", {"text_bytes": TEXT_BYTES, "feature_version": FEATURE_VERSION}
    )
    return sample_of([dict(zip(_COLUMNS, row, strict=True)) for row in rows])


def with_fragments(context: Context, fragments: Mapping[str, str]) -> Context:
    """Return ``context`` with ``fragments`` of SQL for its statements, by name."""
    extra = {**context.renderer.extra, **fragments}
    return replace(context, renderer=replace(context.renderer, extra=extra))


_COLUMNS = (
    "TrajectoryId",
    "Agent",
    "StepKinds",
    "StepNames",
    "StepStatuses",
    "Tools",
    "Turns",
    "ModelCalls",
    "ToolCalls",
    "Errors",
    "Symptoms",
    "Numbers",
    "Stratum",
    "Opening",
    "Told",
    "Probability",
    "Dissatisfied",
    "Sampled",
)


def sample_of(rows: Sequence[Mapping[str, Any]]) -> Sample:
    """Return the sample told by ``rows`` (columns as in ``select_sample.sql``)."""
    return Sample(
        facts=[facts_of(row) for row in rows],
        agents=[row["Agent"] for row in rows],
        dissatisfied=_floats(rows, "Dissatisfied"),
        sampled=np.array([bool(row["Sampled"]) for row in rows], dtype=np.bool_),
        probability=_floats(rows, "Probability"),
        openings=[row["Opening"] for row in rows],
        told=[row["Told"] for row in rows],
        weights=_weights(rows),
    )


def facts_of(row: Mapping[str, Any]) -> Facts:
    """Return what terms can ask of one row."""
    kinds: Sequence[str] = row["StepKinds"]
    counts = {name: float(row[name]) for name in ("Turns", "ModelCalls", "ToolCalls", "Errors")}
    return Facts(
        trajectory_id=row["TrajectoryId"],
        steps=tuple(map(step_key, kinds, row["StepNames"])),
        failed=tuple(status == "error" for status in row["StepStatuses"]),
        offered=frozenset(row["Tools"]),
        counts={**counts, "Steps": float(len(kinds))},
        symptoms=frozenset((symptom, detail) for symptom, detail, _ in row["Symptoms"]),
        faults=faults_of((symptom, weight) for symptom, _, weight in row["Symptoms"]),
        numbers=dict(zip(NUMBER_NAMES, map(float, row["Numbers"]), strict=True)),
        stratum=row["Stratum"],
    )


def strata_of(sample: Sample, given: Mapping[str, str] | None = None) -> NDArray[np.int64]:
    """Return what each row was about, as codes: as ``given``, else its subject.

    Args:
        sample: at most `MAX_ROWS` rows.
        given: stratum by trajectory id, where the agent's owner knows it.
    """
    inferred = subjects(sample.openings, sample.told)
    if not given:
        return inferred
    labels = [
        f"given {given[facts.trajectory_id]}"
        if facts.trajectory_id in given
        else f"inferred {inferred[i]}"
        for i, facts in enumerate(sample.facts)
    ]
    return codes(labels)


def _floats(rows: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.float64]:
    return np.array([np.nan if row[name] is None else row[name] for row in rows], dtype=np.float64)


def _weights(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, float]:
    found: dict[str, list[float]] = {}
    for row in rows:
        for symptom, _, weight in row["Symptoms"]:
            found.setdefault(symptom, []).append(float(weight))
    return {symptom: sum(weights) / len(weights) for symptom, weights in found.items()}
