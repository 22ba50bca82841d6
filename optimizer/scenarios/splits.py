"""On which side of the splits a cluster stands: drawn once by its key, balanced, and by time.

Clusters first seen after the cut stay fresh by ``fresh_share``: confirmation needs traffic that nothing was
ever tuned on. The others, and all before the cut, go where variants are missing most.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from spanloop.optimizer.scenarios.scenario import Split
from spanloop.optimizer.scenarios.settings import ScenarioSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster without a side yet.

    Attributes:
        key: stable name.
        first_seen: start of its oldest run.
        variants: wordings that it holds: how many scenarios it may come to.
    """

    key: str
    first_seen: datetime
    variants: int


def assign_splits(
    clusters: Sequence[Cluster],
    *,
    cut: datetime,
    held: Mapping[Split, int],
    settings: ScenarioSettings,
    seed: int,
) -> dict[str, Split]:
    """Return the side of each of ``clusters`` by key.

    Args:
        clusters: new ones.
        cut: before which nothing is fresh.
        held: variants that each split has already.
        settings: shares.
        seed: of the draw.
    """
    counts: dict[Split, int] = {split: held.get(split, 0) for split in settings.shares}
    sides: dict[str, Split] = {}
    for cluster in sorted(clusters, key=lambda c: uniform(c.key, seed)):
        if (
            cluster.first_seen > cut
            and uniform(f"fresh {cluster.key}", seed) < settings.fresh_share
        ):
            sides[cluster.key] = "fresh"
            continue
        total = sum(counts.values()) + cluster.variants
        wanting: list[tuple[float, Split]] = [
            (settings.shares[s] * total - n, s) for s, n in counts.items()
        ]
        split = max(wanting, key=lambda entry: entry[0])[1]
        sides[cluster.key] = split
        counts[split] += cluster.variants
    return sides


def first_cut(clusters: Sequence[Cluster], quantile: float) -> datetime:
    """Return where an agent's first cut is made: ``quantile`` of the variants belong to older clusters."""
    starts = sorted(cluster.first_seen for cluster in clusters for _ in range(cluster.variants))
    return starts[int(quantile * (len(starts) - 1))]


def uniform(key: str, seed: int) -> float:
    """Return a number in [0, 1) that ``key`` and ``seed`` alone decide."""
    digest = hashlib.sha256(f"{seed} {key}".encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56
