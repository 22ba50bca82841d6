"""How far trials of other agents speak for this one: the common effect of an entry, and the trust in it.

A pattern category × intervention has one common effect, drawn from the law of effects. What it does to a
pattern of one agent is that effect with probability ``trust``, else a draw of its own: the robust form of a
meta-analytic prior (Schmidli et al. 2014, doi:10.1111/biom.12242), which forgets others once they disagree
instead of averaging with them. Trust is learned, by pattern, from how well it agreed with the others in what
both tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spanloop.optimizer.strategies.law import Flags, Floats

TRUSTS: Floats = np.linspace(0, 1, 11)
TRUST_STRENGTH = 3.0
"""The prior on trust, uniform, counts as so many patterns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The evidence on one category.

    Attributes:
        likelihoods: (units, interventions, effects); all 1 where a unit did not try. A unit is a pattern of
            an agent.
        tried: (units, interventions).
    """

    likelihoods: Floats
    tried: Flags


def messages(likelihoods: Floats, law: Floats, trust: Floats) -> Floats:
    """Return what each unit says of the common effect: log (units, interventions, effects).

    Args:
        likelihoods: as in `Block`.
        law: (effects,).
        trust: (units,).
    """
    t = trust[:, None, None]
    return np.log(t * likelihoods + (1 - t) * (likelihoods @ law)[..., None])


def normalised(logs: Floats) -> Floats:
    """Return probabilities along the last axis from logs of anything in proportion."""
    weights = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def learn_trust(
    blocks: Sequence[Block], law: Floats, *, turns: int = 5
) -> tuple[list[Floats], float]:
    """Return the trust of every unit in the common effects, block by block, and that of a new unit.

    How trust spreads over units is learned too, so a unit with few trials borrows from all.
    """
    prior = np.full(len(TRUSTS), 1 / len(TRUSTS))
    spread = prior
    trusts = [np.full(len(block.tried), float(TRUSTS @ spread)) for block in blocks]
    for _ in range(turns):
        total, count = TRUST_STRENGTH * prior, TRUST_STRENGTH
        for i, block in enumerate(blocks):
            if len(block.tried) < 2:
                trusts[i][:] = TRUSTS @ spread
                continue
            logs = _agreement(block, law, trusts[i])
            shares = normalised(logs + np.log(spread))
            compared = np.ptp(logs, axis=1) > 0
            total = total + shares[compared].sum(axis=0)
            count += float(compared.sum())
            trusts[i] = shares @ TRUSTS
        spread = total / count
    return trusts, float(TRUSTS @ spread)


def _agreement(block: Block, law: Floats, trust: Floats) -> Floats:
    """Return log likelihood ratios of each unit's trials given the other units': (units, trusts)."""
    told = messages(block.likelihoods, law, trust)
    others = normalised(np.log(law) + told.sum(axis=0) - told)
    shared = np.einsum("ujg,ujg->uj", others, block.likelihoods)
    ratio = np.where(block.tried, shared / (block.likelihoods @ law), 1.0)
    return np.asarray(np.log1p(TRUSTS * (ratio - 1)[..., None]).sum(axis=1))
