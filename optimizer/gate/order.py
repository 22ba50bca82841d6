"""The order in which scenarios enter an experiment: from their ids and the plan's seed, and nothing else."""

import hashlib
from collections.abc import Iterable


def frozen_order(scenario_ids: Iterable[str], *, seed: int) -> list[str]:
    """Return every scenario once, ordered by a seeded hash of its id.

    In whatever order, and however often, they were asked for: who knows production outcomes and
    chooses the order (or asks for another pass) could otherwise make a null candidate look better
    at some look.

    Raises:
        ValueError: if an id is empty.
    """
    unique = set(scenario_ids)
    if "" in unique:
        raise ValueError("A scenario without an id has no place in an order.")
    return sorted(unique, key=lambda identity: (_digest(identity, seed), identity))


def _digest(identity: str, seed: int) -> bytes:
    return hashlib.blake2b(
        identity.encode(), key=seed.to_bytes(8, "big", signed=True), digest_size=16
    ).digest()
