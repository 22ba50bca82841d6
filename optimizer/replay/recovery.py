"""Episodes read back from stored spans: one that was played before a crash is not played again."""

import json
from collections.abc import Iterable, Mapping
from typing import cast, get_args

from spanloop.optimizer.context import Context
from spanloop.optimizer.replay import semconv
from spanloop.optimizer.replay.episode import EpisodeResult, RunState, Tier
from spanloop.optimizer.replay.recorder import trace_id_of

MAX_RUNS = 1_000
"""Runs of one statement."""


def recover(context: Context, run_ids: Iterable[str]) -> Mapping[str, EpisodeResult]:
    """Return how those of ``run_ids`` went whose spans are stored, by run id.

    A run that a crash cut short has no closing span: it is not among them, and its replies are in the cache.
    """
    wanted = {trace_id_of(run_id): run_id for run_id in run_ids}
    traces = list(wanted)
    found: dict[str, EpisodeResult] = {}
    for at in range(0, len(traces), MAX_RUNS):
        rows = context.rows("replay/select_episodes", {"traces": traces[at : at + MAX_RUNS]})
        for trace_id, attributes in rows:
            result = episode_of(attributes, str(trace_id))
            if result is not None and result.run_id == wanted[str(trace_id)]:
                found[result.run_id] = result
    return found


def episode_of(attributes: Mapping[str, str], trace_id: str) -> EpisodeResult | None:
    """Read an episode from the attributes of its closing span; None if they are not of one."""
    state = attributes.get(semconv.STATE, "")
    if state not in get_args(RunState):
        return None
    tiers = json.loads(attributes.get(semconv.TIERS, "{}"))
    traces = [t for t in attributes.get(semconv.TRACES, "").split(",") if t]
    return EpisodeResult(
        run_id=attributes.get(semconv.RUN_ID, ""),
        state=cast(RunState, state),
        error_kind=attributes.get(semconv.ERROR_KIND, ""),
        tiers={tier: int(tiers[tier]) for tier in get_args(Tier) if tier in tiers},
        first_divergence=_int(attributes.get(semconv.FIRST_DIVERGENCE)),
        steps=_int(attributes.get(semconv.STEPS)) or 0,
        input_tokens=_int(attributes.get(semconv.RUN_INPUT_TOKENS)),
        output_tokens=_int(attributes.get(semconv.RUN_OUTPUT_TOKENS)),
        cost_usd=_float(attributes.get(semconv.COST_USD)),
        latency_ms=_float(attributes.get(semconv.LATENCY_MS)),
        trace_ids=tuple(traces) or (trace_id,),
    )


def _int(text: str | None) -> int | None:
    return int(text) if text else None


def _float(text: str | None) -> float | None:
    return float(text) if text else None
