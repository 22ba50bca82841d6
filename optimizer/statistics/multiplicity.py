"""Control of the false-discovery rate, and of any false claim, over many tests at once."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return q-values: claiming all with ``q <= a`` keeps the expected false share at ``a``.

    ``q_(i) = min_{j >= i} m p_(j) / j``, Benjamini and Hochberg, JRSS B 57 (1995) 289. Holds for
    independent and for positively dependent tests (Benjamini and Yekutieli 2001).

    Args:
        p_values: (m,) 0 to 1; NaN marks a test that could not be made: its q-value is NaN and it
            does not count.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1:
        raise ValueError(f"p-values come as one list, not in {p.ndim} dimensions.")
    q = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    if tested.size == 0:
        return q
    values = p[tested]
    if values.min() < 0 or values.max() > 1:
        raise ValueError("p-values lie between 0 and 1.")
    m = tested.size
    order = np.argsort(values)
    scaled = values[order] * m / np.arange(1, m + 1)
    scaled = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    q[tested[order]] = scaled
    return q


def max_t_adjusted(
    observed: ArrayLike, null: ArrayLike, *, step_down: bool = True
) -> NDArray[np.float64]:
    """Return p-values adjusted so that any false claim at all has at most that probability.

    Westfall and Young (1993), algorithm 4.1: the statistic is compared with the largest of those
    not yet claimed, in each permutation. Keeps the dependence among tests, so that many near copies
    of one predicate cost as much as one.

    Args:
        observed: (m,) statistics, larger is stronger (take absolute values for two-sided tests).
        null: (B, m) the same statistics under B permutations, each a joint one.
        step_down: False for the simpler single-step version.

    Returns:
        (m,) adjusted p-values, ``(1 + #{null >= observed}) / (B + 1)`` at the least.
    """
    t = np.asarray(observed, dtype=np.float64)
    draws = np.asarray(null, dtype=np.float64)
    if draws.ndim != 2 or draws.shape[1] != t.size:
        raise ValueError(f"null has shape {draws.shape}; expected (B, {t.size}).")
    if t.size == 0:
        return np.empty(0)
    order = np.argsort(-t, kind="stable")
    if step_down:
        tail = np.maximum.accumulate(draws[:, order][:, ::-1], axis=1)[:, ::-1]
    else:
        tail = np.broadcast_to(draws.max(axis=1, keepdims=True), draws.shape)
    reached = np.sum(tail >= t[order], axis=0)
    adjusted = np.maximum.accumulate((1.0 + reached) / (draws.shape[0] + 1.0))
    result = np.empty(t.size)
    result[order] = adjusted
    return result
