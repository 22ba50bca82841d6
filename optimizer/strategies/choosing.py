"""What is worth an experiment: Thompson sampling over patterns × interventions by gain per token."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from spanloop.optimizer.strategies.fitting import Beliefs, Fit, Unit
from spanloop.optimizer.strategies.law import MAIN, SIDE, Floats
from spanloop.optimizer.strategies.strategy import Validity

Basis = Literal["own", "transferred", "untried"]

UNKNOWN = Validity()

OTHER_EDIT = 0.5
"""Probability that another edit of the same kind does on the same pattern what an earlier one did."""

DIFFERENCE_SD = 0.6
"""Standard deviation of a difference of outcomes on other traffic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A pattern of an agent that something is to be done about.

    Attributes:
        prevalence: share of the agent's traffic that shows it, 0 to 1.
        validity: what the agent runs on now.
        same_edits: what would be tried are the very edits that were tried on this pattern before. Otherwise
            they are others of the same kind, and earlier trials say less of them.
    """

    agent: str
    pattern_id: str
    category: str
    prevalence: float
    validity: Validity = UNKNOWN
    same_edits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An intervention on a pattern, and what the library expects of it.

    Attributes:
        effect: expected, on scenarios of the pattern.
        works: probability that the effect is of practical size.
        side_effect: expected, on other traffic.
        harms: probability that it does harm to other traffic.
        gain: expected of an experiment, in probability of satisfaction over all traffic, up to a factor that
            is the same for all choices.
        tokens: that an experiment on it is expected to cost.
        drawn: gain per million tokens in the draw that ranked it.
        edge: gain per token as a multiple of that of an edit that nothing is known about.
        worthwhile: its edge is no less than patience asks for, and it is not much more likely to harm than an
            edit that nothing is known about.
        basis: what the expectation rests on.
        own_trials: ids of this pattern's own trials of the intervention.
    """

    pattern_id: str
    category: str
    intervention: str
    effect: float
    works: float
    side_effect: float
    harms: float
    gain: float
    tokens: float
    drawn: float
    edge: float
    worthwhile: bool
    basis: Basis
    own_trials: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """How choices are made.

    Attributes:
        practical: smaller effects are worth nothing.
        harmful: side effects from here down are harm.
        margin: side effect that the gate must exclude before it ships.
        side_scenarios: of other traffic, in one experiment.
        draws: from the posterior, that one ranking averages: 1 is plain Thompson sampling, more explore less.
        patience: an experiment is worthwhile down to this share of what an uninformed one brings per token.
        caution: it is worthwhile up to this much more probability of harm than an uninformed one has.
    """

    practical: float = 0.05
    harmful: float = -0.02
    margin: float = 0.10
    side_scenarios: int = 150
    draws: int = 8
    patience: float = 0.3
    caution: float = 0.05


DEFAULT_TASTE = Taste()


def choose(
    fit: Fit,
    situations: Sequence[Situation],
    interventions: Sequence[str],
    *,
    taste: Taste,
    rng: np.random.Generator,
) -> Sequence[Choice]:
    """Return every situation × intervention, the best draw first."""
    if not situations or not interventions:
        return []
    beliefs = [
        fit.beliefs(
            (s.category, Unit(s.agent, s.pattern_id)),
            interventions,
            validity=s.validity,
            kept=1.0 if s.same_edits else OTHER_EDIT,
        )
        for s in situations
    ]
    prevalence = np.repeat([s.prevalence for s in situations], len(interventions))
    figures = _figures(fit, beliefs, prevalence, taste, rng)
    order: list[int] = np.argsort(-figures["drawn"], kind="stable").tolist()
    columns = {name: values.tolist() for name, values in figures.items()}
    choices: list[Choice] = []
    for i in order:
        place, j = divmod(i, len(interventions))
        asked, own = situations[place], beliefs[place].own[j]
        choices.append(
            Choice(
                pattern_id=asked.pattern_id,
                category=asked.category,
                intervention=interventions[j],
                basis="own" if own else "transferred" if beliefs[place].others[j] else "untried",
                own_trials=own,
                **{name: values[i] for name, values in columns.items()},
            )
        )
    return choices


class _Gains(NamedTuple):
    """What an experiment brings, (effects, side effects): ``fixed`` + prevalence × ``with_prevalence``."""

    fixed: Floats
    with_prevalence: Floats


@lru_cache(maxsize=8)
def _gains(taste: Taste) -> _Gains:
    """Return the gains that ``taste`` sees.

    An effect of no practical size does not ship. A side effect has to pass the gate's test of non-inferiority
    (an e-value of 20, normal approximation), and then counts with what it takes from the rest of traffic:
    prevalence × effect + (1 - prevalence) × side effect.
    """
    main, side = MAIN.effects[:, np.newaxis], SIDE.effects
    error = DIFFERENCE_SD / taste.side_scenarios**0.5
    score: Floats = (side + taste.margin) / error - math.sqrt(2 * math.log(20))
    passes: Floats = ndtr(score)
    ships = np.where(main >= taste.practical, passes, 0)
    return _Gains(ships * side, ships * (main - side))


def _figures(
    fit: Fit,
    beliefs: Sequence[Beliefs],
    prevalence: Floats,
    taste: Taste,
    rng: np.random.Generator,
) -> dict[str, NDArray[Any]]:
    """Return the numbers of choices by name, one entry a choice."""
    main = np.concatenate([one.main for one in beliefs])
    side = np.concatenate([one.side for one in beliefs])
    fixed, with_prevalence = _gains(taste)
    gain = ((main @ fixed) * side).sum(axis=1)
    gain += prevalence * ((main @ with_prevalence) * side).sum(axis=1)
    uninformed = fit.law @ fixed @ fit.side_law
    uninformed = uninformed + prevalence * (fit.law @ with_prevalence @ fit.side_law)
    tokens = main @ fit.tokens
    edge = gain / tokens / (uninformed / (fit.law @ fit.tokens))
    harmful = taste.harmful >= SIDE.effects
    harms = side[:, harmful].sum(axis=1)
    g = _sample(main, rng.random((len(main), taste.draws)))
    s = _sample(side, rng.random((len(side), taste.draws)))
    drawn = fixed[g, s].mean(axis=1) + prevalence * with_prevalence[g, s].mean(axis=1)
    return {
        "effect": main @ MAIN.effects,
        "works": main[:, MAIN.effects >= taste.practical].sum(axis=1),
        "side_effect": side @ SIDE.effects,
        "harms": harms,
        "gain": gain,
        "tokens": tokens,
        "drawn": drawn / tokens * 1e6,
        "edge": edge,
        "worthwhile": (edge >= taste.patience)
        & (harms <= fit.side_law[harmful].sum() + taste.caution),
    }


def _sample(beliefs: Floats, uniform: Floats) -> NDArray[np.intp]:
    """Return draws from each row of ``beliefs``: (rows, draws)."""
    below = np.cumsum(beliefs, axis=1)[:, np.newaxis, :] < uniform[..., np.newaxis]
    return np.asarray(np.minimum(below.sum(axis=2), beliefs.shape[1] - 1))
