"""The library: every measured outcome, and what it makes worth trying next. Pure, in memory."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np

from spanloop.optimizer.strategies.choosing import DEFAULT_TASTE, Choice, Situation, Taste, choose
from spanloop.optimizer.strategies.fitting import Entry, Fit, Measured, fit_trials, measured
from spanloop.optimizer.strategies.strategy import Strategy, Trial

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Library:
    """Trials, strategies, and the prior they make for the next cycle."""

    def __init__(
        self,
        trials: Iterable[Trial] = (),
        strategies: Iterable[Strategy] = (),
        *,
        taste: Taste = DEFAULT_TASTE,
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
        return choose(self.fit, situations, interventions, taste=self._taste, rng=rng)
