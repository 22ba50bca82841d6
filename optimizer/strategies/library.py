"""The library: every measured outcome, and what it makes worth trying next. Pure, in memory."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from spanloop.optimizer.strategies.fitting import Entry, Fit, Measured, Unit, fit_trials, measured
from spanloop.optimizer.strategies.law import MAIN, SIDE, Floats
from spanloop.optimizer.strategies.strategy import Strategy, Trial, Validity

Basis = Literal["own", "transferred", "untried"]

UNKNOWN = Validity()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A pattern of an agent that something is to be done about.

    Attributes:
        prevalence: share of the agent's traffic that shows it, 0 to 1.
        validity: what the agent runs on now.
    """

    agent: str
    pattern_id: str
    category: str
    prevalence: float
    validity: Validity = UNKNOWN


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
        worthwhile: it is expected to bring no less per token than an experiment that nothing is known about,
            and to harm no more likely.
        basis: what the expectation rests on.
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
    worthwhile: bool
    basis: Basis


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
    patience: float = 0.8
    caution: float = 0.05


class Library:
    """Trials, strategies, and the prior they make for the next cycle."""

    def __init__(
        self,
        trials: Iterable[Trial] = (),
        strategies: Iterable[Strategy] = (),
        *,
        taste: Taste = Taste(),
        now: datetime | None = None,
    ) -> None:
        """Hold ``trials`` of ``strategies`` as of ``now``; None = as of the newest trial."""
        self._taste = taste
        self._now = now
        self._trials: dict[str, Trial] = {}
        self._entries: dict[Entry, list[Measured]] = defaultdict(list)
        self._strategies = {strategy.strategy_id: strategy for strategy in strategies}
        self._fit: Fit | None = None
        self.record(trials)

    def record(self, trials: Iterable[Trial]) -> None:
        """Add ``trials``; one that is known by its id is not counted twice."""
        for trial in sorted(trials, key=lambda trial: (trial.recorded_at, trial.trial_id)):
            if trial.trial_id not in self._trials:
                self._trials[trial.trial_id] = trial
                self._entries[Entry.of(trial)].append(measured(trial))
                self._fit = None

    @property
    def fit(self) -> Fit:
        """What all trials together say."""
        if self._fit is None:
            newest = max((t.recorded_at for t in self._trials.values()), default=_EPOCH)
            self._fit = fit_trials(self._entries, self._now or newest)
        return self._fit

    @property
    def trials(self) -> Sequence[Trial]:
        """All trials, in the order in which they were recorded."""
        return list(self._trials.values())

    @property
    def strategies(self) -> Sequence[Strategy]:
        """All entries, ordered by id."""
        return [self._strategies[name] for name in sorted(self._strategies)]

    def trials_of(self, strategy_id: str) -> Sequence[Trial]:
        """Return the trials of one entry."""
        return [t for t in self._trials.values() if t.strategy_id == strategy_id]

    def entries_for(self, category: str, intervention: str) -> Sequence[Strategy]:
        """Return the entries that may be tried, the best proven first."""
        fit = [
            s
            for s in self.strategies
            if s.category == category and s.intervention == intervention and s.state != "retired"
        ]

        def rate(strategy: Strategy) -> float:
            own = self.trials_of(strategy.strategy_id)
            return (1 + sum(t.verdict == "ship" for t in own)) / (2 + len(own))

        return sorted(fit, key=lambda strategy: (-rate(strategy), strategy.strategy_id))

    def rank(
        self,
        situations: Sequence[Situation],
        interventions: Sequence[str],
        rng: np.random.Generator,
    ) -> Sequence[Choice]:
        """Return every situation × intervention, the best draw per token first (Thompson sampling)."""
        choices = [
            choice
            for situation in situations
            for choice in self._choices(situation, interventions, rng)
        ]
        return sorted(choices, key=lambda choice: -choice.drawn)

    def _choices(
        self, situation: Situation, interventions: Sequence[str], rng: np.random.Generator
    ) -> list[Choice]:
        fit, taste = self.fit, self._taste
        unit = Unit(situation.agent, situation.pattern_id)
        main, side, own, others = fit.beliefs(
            situation.category, unit, situation.validity, interventions
        )
        gains = _gains(situation.prevalence, taste)
        gain = np.einsum("jg,gs,js->j", main, gains, side)
        tokens = main @ fit.tokens
        uninformed = (fit.law @ gains @ fit.side_law) / (fit.law @ fit.tokens)
        harms = side[:, taste.harmful >= SIDE.effects].sum(axis=1)
        usual = fit.side_law[taste.harmful >= SIDE.effects].sum()
        worthwhile = (gain / tokens >= taste.patience * uninformed) & (
            harms <= usual + taste.caution
        )
        works = main[:, MAIN.effects >= taste.practical].sum(axis=1)
        drawn = _draw(main, side, gains, rng, taste.draws) / tokens * 1e6
        return [
            Choice(
                pattern_id=situation.pattern_id,
                category=situation.category,
                intervention=intervention,
                effect=float(main[j] @ MAIN.effects),
                works=float(works[j]),
                side_effect=float(side[j] @ SIDE.effects),
                harms=float(harms[j]),
                gain=float(gain[j]),
                tokens=float(tokens[j]),
                drawn=float(drawn[j]),
                worthwhile=bool(worthwhile[j]),
                basis="own" if own[j] else "transferred" if others[j] else "untried",
            )
            for j, intervention in enumerate(interventions)
        ]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _gains(prevalence: float, taste: Taste) -> Floats:
    """Return what an experiment brings, by effect and side effect: (effects, side effects).

    An effect of no practical size does not ship. A side effect has to pass the gate's test of non-inferiority
    (an e-value of 20, normal approximation), and then counts with what it takes from the rest of traffic.
    """
    main, side = MAIN.effects[:, None], SIDE.effects
    error = 0.6 / taste.side_scenarios**0.5
    passes = norm.cdf((side + taste.margin) / error - np.sqrt(2 * np.log(20)))
    overall = prevalence * main + (1 - prevalence) * side
    return np.where(main >= taste.practical, passes * overall, 0)


def _draw(
    main: Floats, side: Floats, gains: Floats, rng: np.random.Generator, draws: int
) -> Floats:
    g = _sample(main, rng.random((len(main), draws)))
    s = _sample(side, rng.random((len(side), draws)))
    return gains[g, s].mean(axis=1)


def _sample(beliefs: Floats, uniform: Floats) -> NDArray[np.intp]:
    below = np.cumsum(beliefs, axis=1)[:, None, :] < uniform[..., None]
    return np.minimum(below.sum(axis=2), beliefs.shape[1] - 1)
