"""Which predicates go with dissatisfaction when what was asked and who answered are held fixed.

Pure: arrays in, arrays out. The estimate is the least-squares coefficient of the predicate beside one
constant per stratum and one per agent (the Mantel-Haenszel risk difference where there is one agent).
Agents enter additively because the cells of one agent in one stratum often hold a single run, which
alone tells nothing.

A pattern is *claimed* only if two tests agree, each adjusted for having looked at all predicates
(max-T, Westfall and Young 1993):

- outcomes (their residuals, Freedman and Lane 1983) exchanged among the rows of a stratum: exact,
  however small the strata, if rows of a stratum are comparable;
- signs of whole strata flipped: rows of an inferred stratum may still differ in difficulty; then its
  score is off by an amount that is fixed within the stratum, and only a contrast that goes the same
  way in many strata survives.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from spanloop.optimizer.statistics.multiplicity import max_t_adjusted

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int64]

MIN_EVIDENCE = 4.0
"""Sum of squared within-stratum deviations of a predicate below which no lift is given: about 4
rows with and 4 or more without in the same strata."""
PRIOR_SD = 0.1
"""Lifts expected before any outcome is seen: mean 0, this standard deviation."""
ACROSS_BIAS_SD = 0.1
"""How far the contrast across strata is off by difficulty: it enters the rank with this error."""
_OUTCOME_SD = 0.25
"""Floor of the error: this over the square root of the evidence, so that a handful of rows that happen
to separate perfectly is not called certain."""
_ROUNDS = 60


class Design(NamedTuple):
    """Predicates with everything held fixed that will be; outcomes come later, many times.

    Attributes:
        matrix: (n, p) whether the predicate holds.
        within: (n, p) less what strata and agents explain.
        across: (n, p) less what agents explain.
        strata: (n,) codes from 0.
        agents: (n,) codes from 0.
    """

    matrix: Bools
    within: Floats
    across: Floats
    strata: Codes
    agents: Codes

    @property
    def evidence(self) -> Floats:
        """(p,) sum of squared deviations of each predicate within strata and agents."""
        return np.asarray(np.sum(self.within**2, axis=0), dtype=np.float64)


class Contrast(NamedTuple):
    """One entry per predicate; NaN where the data cannot tell.

    Attributes:
        lift: rise in dissatisfaction within strata and agents, in probability.
        low: lower end of its 95 % interval (clustered by stratum).
        high: upper end.
        p_value: one-sided, the larger of the two tests, of this predicate alone.
        adjusted: the same, adjusted for all predicates; 1 where there is too little evidence.
        marginal: naive difference, nothing held fixed.
        evidence: sum of squared deviations of the predicate, the information about its lift.
        rank: posterior mean of the lift, by which patterns are put in order (see `_posterior`).
        df: degrees of freedom of the interval (Student's t).
    """

    lift: Floats
    low: Floats
    high: Floats
    p_value: Floats
    adjusted: Floats
    marginal: Floats
    evidence: Floats
    rank: Floats
    df: Floats


class Draws(NamedTuple):
    """Random numbers of the tests, drawn once for a design.

    Attributes:
        orders: (B, n) row indexes: permutations within strata.
        signs: (B, n_strata) +1 or -1.
    """

    orders: NDArray[np.int64]
    signs: Floats


def design(matrix: Bools, strata: Codes, agents: Codes) -> Design:
    """Return ``matrix`` with strata and agents held fixed.

    Args:
        matrix: (n, p) whether the predicate holds.
        strata: (n,) codes; comparable rows share one.
        agents: (n,) codes.
    """
    x = matrix.astype(np.float64)
    strata, agents = _codes(strata), _codes(agents)
    return Design(
        matrix, residual(x, strata, agents), _centred(x, agents, _counts(agents)), strata, agents
    )


def draw(design_: Design, rng: np.random.Generator, n_draws: int = 999) -> Draws:
    """Return ``n_draws`` permutations within strata, and as many vectors of signs."""
    strata = design_.strata
    n = strata.size
    slots = np.argsort(strata, kind="stable")
    orders = np.empty((n_draws, n), dtype=np.int64)
    for b in range(n_draws):
        orders[b, slots] = np.lexsort((rng.random(n), strata))
    n_strata = int(strata.max()) + 1 if n else 0
    signs = rng.choice(np.array([-1.0, 1.0]), size=(n_draws, n_strata))
    return Draws(orders, signs)


def contrast(design_: Design, outcome: Floats, draws: Draws) -> Contrast:
    """Return what each predicate does to ``outcome``.

    Args:
        design_: predicates.
        outcome: (n,) 0 to 1, 1 = dissatisfied.
        draws: of the tests.
    """
    y = residual(outcome[:, None], design_.strata, design_.agents)[:, 0]
    x = design_.within
    evidence = design_.evidence
    tested = evidence >= MIN_EVIDENCE
    safe = np.where(tested, evidence, 1.0)
    lift = y @ x / safe
    error, df = _clustered_error(x, y, lift, design_.strata, safe)
    half = student.ppf(0.975, df) * error
    alone = np.ones(lift.size)
    adjusted = np.ones(lift.size)
    if tested.any():
        alone[tested], adjusted[tested] = _tests(x[:, tested], y, design_.strata, draws)
    missing = np.where(tested, 0.0, np.nan)
    return Contrast(
        lift=lift + missing,
        low=np.maximum(lift - half, -1.0) + missing,
        high=np.minimum(lift + half, 1.0) + missing,
        p_value=alone + missing,
        adjusted=adjusted,
        marginal=_marginal(design_.matrix, outcome),
        evidence=evidence,
        rank=_posterior(lift, error, design_, outcome) + missing,
        df=df + missing,
    )


def residual(values: Floats, strata: Codes, agents: Codes) -> Floats:
    """Return ``values`` (n, p) less the least-squares fit of strata and agents.

    Alternating projections (Gaure, Comput. Stat. Data Anal. 66 (2013) 8), ending on strata.
    """
    n_strata, n_agents = _counts(strata), _counts(agents)
    result = _centred(values, strata, n_strata)
    for _ in range(_ROUNDS if n_agents.size > 1 else 0):
        before = result
        result = _centred(_centred(result, agents, n_agents), strata, n_strata)
        if np.abs(result - before).max(initial=0.0) < 1e-7:
            break
    return result


def _tests(x: Floats, y: Floats, strata: Codes, draws: Draws) -> tuple[Floats, Floats]:
    """Return (p alone, p adjusted) per predicate: the larger of the two tests."""
    x_single = x.astype(np.float32)
    shuffled = y[draws.orders].astype(np.float32)  # (B, n)
    scale = np.sqrt(np.maximum((shuffled**2) @ (x_single**2), 1e-6))
    null = ((shuffled @ x_single) / scale).astype(np.float64)
    seen = (y @ x) / np.sqrt(np.maximum((y**2) @ (x**2), 1e-6))
    scores = _sums(x * y[:, None], strata, _counts(strata).size)
    spread = np.sqrt(np.maximum(np.sum(scores**2, axis=0), 1e-6))
    flipped = draws.signs @ scores / spread
    seen_flipped = scores.sum(axis=0) / spread
    pairs = [_p_values(seen, null), _p_values(seen_flipped, flipped)]
    return (
        np.maximum(pairs[0][0], pairs[1][0]),
        np.maximum(pairs[0][1], pairs[1][1]),
    )


def _p_values(seen: Floats, null: Floats) -> tuple[Floats, Floats]:
    # Rounding must not make a draw that repeats what was seen count as below it.
    reached = seen - 1e-5
    alone = (1.0 + np.sum(null >= reached, axis=0)) / (null.shape[0] + 1.0)
    return alone, max_t_adjusted(reached, null)


def _clustered_error(
    x: Floats, y: Floats, lift: Floats, strata: Codes, evidence: Floats
) -> tuple[Floats, Floats]:
    """Return (standard error, degrees of freedom) per predicate, strata being the clusters.

    The larger of the variances with the fitted lift and with none, and never below the floor.
    """
    n = _counts(strata).size
    fitted = _sums(x * (y[:, None] - x * lift), strata, n)
    none = _sums(x * y[:, None], strata, n)
    own = _sums(x * x, strata, n) / evidence
    informative = np.maximum(np.sum(own > 1e-9, axis=0), 2)
    variance = np.maximum(np.sum(fitted**2, axis=0), np.sum(none**2, axis=0)) / evidence**2
    variance = variance * informative / (informative - 1) + _OUTCOME_SD**2 / evidence
    df = np.clip(1.0 / np.maximum(np.sum(own**2, axis=0), 1e-9) - 1.0, 1.0, None)
    return np.sqrt(variance), df


def _posterior(lift: Floats, error: Floats, design_: Design, outcome: Floats) -> Floats:
    """Return the expected lift given the contrast within strata and the one across them.

    The one across has less noise and a bias (difficulty) of unknown sign; both shrink to 0. Only
    order and choice rest on it, never the lift that is shown or a claim.
    """
    x, agents = design_.across, design_.agents
    y = _centred(outcome[:, None], agents, _counts(agents))[:, 0]
    total = np.maximum(np.sum(x * x, axis=0), 1e-9)
    across = y @ x / total
    spread = (y[:, None] - x * across) ** 2
    variance = np.sum(x * x * spread, axis=0) / total**2 + _OUTCOME_SD**2 / total
    within_weight = 1.0 / error**2
    across_weight = 1.0 / (variance + ACROSS_BIAS_SD**2)
    weighted = lift * within_weight + across * across_weight
    total_weight = within_weight + across_weight + 1.0 / PRIOR_SD**2
    return np.asarray(weighted / total_weight, dtype=np.float64)


def _marginal(matrix: Bools, outcome: Floats) -> Floats:
    with_it = matrix.sum(axis=0).astype(np.float64)
    without = matrix.shape[0] - with_it
    both = (with_it > 0) & (without > 0)
    bad = outcome @ matrix
    naive = bad / np.where(both, with_it, 1) - (outcome.sum() - bad) / np.where(both, without, 1)
    return np.where(both, naive, np.nan)


def _codes(labels: Codes) -> Codes:
    return np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _counts(codes: Codes) -> Floats:
    return np.bincount(codes).astype(np.float64)


def _sums(values: Floats, codes: Codes, n_groups: int) -> Floats:
    """Return (n_groups, p) sums of the rows of each group."""
    if values.shape[0] == 0:
        return np.zeros((n_groups, values.shape[1]))
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(n_groups))
    return np.asarray(np.add.reduceat(values[order], starts, axis=0), dtype=np.float64)


def _centred(values: Floats, codes: Codes, counts: Floats) -> Floats:
    if values.shape[0] == 0:
        return values
    return values - (_sums(values, codes, counts.size) / counts[:, None])[codes]
