"""Which level the next test of an endless stream gets, so that few of all claims are false.

e-LOND (Xu and Ramdas, AISTATS 2024, arXiv 2311.06412): test t gets ``alpha_t = alpha gamma_t (R +
1)`` with R claims before it and ``sum gamma <= 1``, and may be claimed if its e-value reaches ``1 /
alpha_t``. The expected false share of all claims so far is then at most alpha at any time, however
the tests depend on each other: a null's claim weighs at most ``1 / (R + 1)``, happens only where
``alpha_t e_t >= 1``, and e_t has mean 1 at most. Claims that are held back for another reason do
not count in R, and the bound stays.
"""

from scipy.special import zeta

DECAY = 1.2
"""Of gamma_t = t^-DECAY / zeta(DECAY): the first test gets 18 % of alpha, the 200th 0.03 % a claim."""


def gamma(test: int) -> float:
    """Return the share of alpha that ``test`` (from 1) gets; all shares sum to 1."""
    if test < 1:
        raise ValueError(f"Tests are numbered from 1, not {test}.")
    return float(test**-DECAY / zeta(DECAY))


def e_lond_level(test: int, claims: int, *, alpha: float) -> float:
    """Return the level of ``test`` (from 1) after ``claims`` claims.

    >>> round(e_lond_level(1, 0, alpha=0.1), 4)
    0.0179
    """
    return min(alpha * gamma(test) * (claims + 1), 1.0)
