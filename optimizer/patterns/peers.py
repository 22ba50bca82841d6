"""What a run does that others of the same kind of request do not, and the reverse, as a few more numbers.

Peers are the runs of the same stratum as the last mining counted them (``peer_tools``), the run itself left
out. No outcome enters: a pattern may say that leaving the peers goes with dissatisfaction, and mining asks
whether it does. The engine computes them in one pass over `trajectories`, next to the stored features.
"""

from collections.abc import Mapping, Sequence

from spanloop.optimizer.context import COMPARABLE_COMPLETENESS, Context
from spanloop.optimizer.satisfaction.features import NAMES, tool_effects
from spanloop.optimizer.satisfaction.tools import Effect

MAX_RUNS = 200
"""Runs of a stratum that are counted."""
MIN_PEERS = 3
"""Peers below which nothing is known."""

MAX_VALUES = 200
"""Values of changes that are kept of a stratum."""

MISSED_VALUES = "missed_values"
PEER_NAMES = ("missed_changes", "unusual_changes", "unlike_peers", MISSED_VALUES)
"""missed_changes: changing tools that peers call and it does not, each by the share of peers that do;
missed_values: the same of (tool, argument, value) of changes;
unusual_changes: changes it makes, each by the share of peers that do not; unlike_peers: one less the overlap
(Jaccard, weighted) of the tools it calls with those that peers call, 0 to 1."""

NUMBER_NAMES: Sequence[str] = (*NAMES, *PEER_NAMES)
"""All numbers that terms may bound, in the order of `NUMBERS_SQL`."""

_NAN = "toFloat32(nan)"
_CALLED = (
    "arrayDistinct(arrayFilter((n, k, s) -> k = 'tool' AND s != 'error', "
    "StepNames, StepKinds, StepStatuses))"
)
_OWN = "has(PeerRuns, cityHash64(TrajectoryId))"
_OTHERS = f"(length(PeerRuns) - {_OWN})"
_MISSED = (
    f"arraySum((n, c, w) -> if(w AND NOT has({_CALLED}, n), c, 0), PeerTools, PeerCounts, PeerChanges) "
    f"/ {_OTHERS}"
)
_UNUSUAL = (
    f"arraySum((n, c, w) -> if(w AND has({_CALLED}, n), 1 - (c - {_OWN}) / {_OTHERS}, 0), PeerTools, "
    "PeerCounts, PeerChanges)"
)
_SHARED = (
    f"arraySum((n, c) -> if(has({_CALLED}, n), (c - {_OWN}) / {_OTHERS}, 0), PeerTools, PeerCounts)"
)
_ALL = f"((arraySum(PeerCounts) - {_OWN} * length({_CALLED})) / {_OTHERS})"
_UNLIKE = f"1 - {_SHARED} / greatest({_ALL} + length({_CALLED}) - {_SHARED}, 1e-9)"

_MISSED_VALUES = (
    f"arraySum((v, c) -> if(has(ChangedValues, v), 0, c), PeerValues, PeerValueCounts) / {_OTHERS}"
)

_PEERS_SQL = ", ".join(
    f"if({_OTHERS} >= {MIN_PEERS}, toFloat32({text}), {_NAN})"
    for text in (_MISSED, _UNUSUAL, _UNLIKE, _MISSED_VALUES)
)
NUMBERS_SQL = f"arrayConcat(arrayResize(Stored, {len(NAMES)}, {_NAN}), [{_PEERS_SQL}])"
"""Expression of `NUMBER_NAMES`, Array(Float32), over ``Stored`` (``trajectory_features.Numbers``, empty where
there is no row), the step arrays of `trajectories` and the columns of ``peer_tools``."""

FRAGMENTS: Mapping[str, str] = {"numbers": NUMBERS_SQL}
"""What the statements that need the numbers are rendered with."""


def count_peer_tools(context: Context) -> None:
    """Count anew which tools the runs of each stratum call."""
    effects = tool_effects(context)
    context.run(
        "patterns/insert_peer_tools",
        {
            "runs": MAX_RUNS,
            "values": MAX_VALUES,
            "seed": context.seed,
            "completeness": COMPARABLE_COMPLETENESS,
            "changing": sorted(n for n, effect in effects.items() if effect is Effect.CHANGES),
            "version": context.now_ms,
        },
    )
