"""What volunteered ratings can and cannot say about everybody."""

from spanloop.optimizer.statistics.intervals import Interval, unknown

RESPONSE_RATIOS = (1.0 / 3.0, 3.0)
"""Plausible range of: how much likelier a dissatisfied user rates than a satisfied one."""


def volunteered_bounds(
    among_raters: Interval,
    *,
    ratios: tuple[float, float] = RESPONSE_RATIOS,
    seen: tuple[float, float, float] | None = None,
) -> Interval:
    """Return bounds of everybody's rate from the rate among those who chose to rate.

    If a dissatisfied user is r times likelier to rate than a satisfied one, Bayes gives
    ``odds(everybody) = r odds(raters)``. With r anywhere in ``ratios`` the truth lies between the
    interval's ends with their odds scaled: bounds of partial identification (Manski 1989; with the
    sampling error as in Imbens and Manski, Econometrica 72 (2004) 1845). There is no point.

    Args:
        among_raters: rate among raters with its interval.
        ratios: least and largest r, both > 0.
        seen: satisfied raters, dissatisfied raters and all runs: whoever rated is known, so the
            batch's rate cannot lie outside ``[satisfied / all, 1 - dissatisfied / all]``; None for
            the population behind the batch.

    Raises:
        ValueError: on ratios that are not positive or not in order.
    """
    least, most = ratios
    if not 0 < least <= most:
        raise ValueError(f"Response ratios must be positive and in order, not {ratios!r}.")
    n, n_clusters = among_raters.n, among_raters.n_clusters
    if among_raters.low is None or among_raters.high is None:
        return unknown(level=among_raters.level, n=n, n_clusters=n_clusters)
    low = _scaled_odds(among_raters.low, least)
    high = _scaled_odds(among_raters.high, most)
    if seen is not None and seen[2] > 0:
        low = max(low, seen[0] / seen[2])
        high = min(high, 1.0 - seen[1] / seen[2])
    return Interval(None, low, high, among_raters.level, "raters_bounded", n, n_clusters)


def _scaled_odds(rate: float, factor: float) -> float:
    return factor * rate / (1.0 - rate + factor * rate)
