"""The satisfaction rate of everything that runs: all, per agent, release, intent, day, and agent and day.

Every rate is of comparable trajectories (closed, complete enough). Labels of random samples measure it,
the probability of each trajectory sharpens it. Volunteered feedback never corrects it: alone, it gives the
rate among raters, and bounds for everybody else. The store sums; Python sees the labelled trajectories and
one row per value of a dimension.

Clusters are users where one is known, else trajectories. What users came for (intent) is no cluster: it
is a few fixed groups, compared as such, not a sample of independent units.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from spanloop.optimizer.context import Context
from spanloop.optimizer.satisfaction.rate_core import (
    bounded_by_raters,
    pass_k,
    raters_rates,
    rates,
)
from spanloop.optimizer.satisfaction.rate_rows import Evidence, read_evidence
from spanloop.optimizer.statistics import Interval
from spanloop.optimizer.statistics.prediction_powered import Target

_COLUMNS = (
    "AnalysisId",
    "ComputedAt",
    "Project",
    "Dimension",
    "Value",
    "Trajectories",
    "Labelled",
    "Raters",
    "Clusters",
    "Rate",
    "Low",
    "High",
    "Level",
    "Method",
    "RateAmongRaters",
    "PassK",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateEstimate:
    """The satisfaction rate of one value of a dimension.

    Attributes:
        project: of the trajectories.
        dimension: all, agent, release, intent, day or agent_day.
        value: of the dimension; '' for ``all``; of agent_day the day, a space, the agent.
        trajectories: comparable ones.
        labelled: of them with a label of a random sample.
        raters: of them with volunteered feedback.
        clusters: users (trajectories where no user is known) among those the answer rests on.
        interval: rate and interval; no point where it is unknown or only bounded.
        among_raters: the rate among raters with its own interval, which is nobody else's.
        pass_k: (k, rate); empty unless scenarios were repeated.
    """

    project: str
    dimension: str
    value: str
    trajectories: int
    labelled: int
    raters: int
    clusters: int
    interval: Interval
    among_raters: Interval
    pass_k: Sequence[tuple[int, float]]


def estimate_rates(
    context: Context,
    *,
    target: Target = "batch",
    scenarios: Mapping[str, str] | None = None,
) -> list[RateEstimate]:
    """Estimate every rate and, for the batch, store them in ``satisfaction_rates``.

    Args:
        context: of the analysis.
        target: ``batch``: the rate of these trajectories; ``population``: of the traffic behind
            them, with users as clusters. Only the batch's is stored: a table answers one question.
        scenarios: trajectory → the scenario it repeats, where runs repeat scenarios; pass^k is not
            defined without.
    """
    evidence = read_evidence(context, clustered=target == "population")
    intervals = rates(evidence.labels, evidence.batch, target=target)
    among = raters_rates(evidence.raters)
    estimates = [
        _estimate(evidence, k, (interval, among[k]), target=target, scenarios=scenarios or {})
        for k, interval in enumerate(intervals)
    ]
    if target == "batch" and estimates:
        _store(context, estimates)
    return estimates


def _estimate(
    evidence: Evidence,
    k: int,
    found: tuple[Interval, Interval],
    *,
    target: Target,
    scenarios: Mapping[str, str],
) -> RateEstimate:
    """Put together what is known of group ``k``: by labels if they suffice, else by raters."""
    interval, among = found
    project, dimension, value = evidence.groups.keys[k]
    trajectories = evidence.groups.trajectories[k]
    labelled = [evidence.labelled[at] for at in evidence.rows_of(k)]
    clusters = len({each.cluster for each in labelled})
    if interval.point is None and among.n:
        interval = bounded_by_raters(among, trajectories, target=target)
        clusters = among.n_clusters
    return RateEstimate(
        project=project,
        dimension=dimension,
        value=value,
        trajectories=trajectories,
        labelled=len(labelled),
        raters=among.n,
        clusters=clusters,
        interval=interval,
        among_raters=among,
        pass_k=pass_k(
            (scenarios.get(each.trajectory, ""), each.configuration, each.satisfied)
            for each in labelled
        ),
    )


def _store(context: Context, estimates: Sequence[RateEstimate]) -> None:
    analysis_id = str(uuid.UUID(int=context.now_ms << 64 | context.seed))
    computed_at = datetime.fromtimestamp(context.now_ms / 1000, UTC)
    context.client.insert(
        "satisfaction_rates",
        [
            [
                analysis_id,
                computed_at,
                each.project,
                each.dimension,
                each.value,
                each.trajectories,
                each.labelled,
                each.raters,
                each.clusters,
                each.interval.point,
                each.interval.low,
                each.interval.high,
                each.interval.level,
                each.interval.method,
                each.among_raters.point,
                list(each.pass_k),
            ]
            for each in estimates
        ],
        column_names=_COLUMNS,
        database=context.renderer.settings.database,
    )
