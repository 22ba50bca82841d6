"""Numbers beside a verdict that the gate does not compute: how both arms did. Pure."""

from collections.abc import Sequence

import numpy as np

from spanloop.optimizer.gate.evidence import ArmRuns, Evidence, Floats
from spanloop.optimizer.gate.verdict import Number


def numbers_of(evidence: Evidence) -> Sequence[Number]:
    """Return them, each with how it was computed."""
    arms = (("baseline", evidence.baseline), ("candidate", evidence.candidate))
    return [number for name, arm in arms for number in _arm(name, arm)]


def _arm(name: str, arm: ArmRuns) -> Sequence[Number]:
    figures = (
        ("satisfied", arm.outcome, "mean over judged episodes"),
        (
            "coverage",
            arm.coverage,
            "mean over episodes: share of tool calls answered from the tape",
        ),
        ("cost", arm.cost, "mean over episodes, US dollars, or tokens where a price is unknown"),
        ("latency", arm.latency, "mean over episodes, milliseconds of wall clock"),
    )
    return [
        Number(name=f"{name} {what}", value=_mean(values), method=method)
        for what, values, method in figures
    ]


def _mean(values: Floats) -> float | None:
    return None if np.isnan(values).all() else float(np.nanmean(values))
