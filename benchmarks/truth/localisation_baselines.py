"""Trivial guesses at the step that made a run fail: none of them reads what was said."""

import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingTypeStubs]

FOLDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a baseline may see of a step.

    Attributes:
        start: nanoseconds since 1970.
        length: characters said.
    """

    step: int
    kind: str
    agent: str
    failed: bool
    trace: str
    span: str
    start: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A failed run with its truth.

    Attributes:
        steps: after the opening of the user, in order.
        cause: index of the step that people marked; None where no step tells it.
        agent: whom people blamed; '' is the user.
    """

    set: str
    task: str
    trajectory_id: str
    steps: tuple[Shown, ...]
    cause: int | None
    agent: str

    @property
    def candidates(self) -> Sequence[int]:
        """Indices of steps that are not the user's."""
        return [i for i, step in enumerate(self.steps) if step.kind != "user"]

    @property
    def cause_is_user(self) -> bool:
        """Whether the marked step is a message of the user."""
        return self.cause is not None and self.steps[self.cause].kind == "user"

    @property
    def half(self) -> int:
        """Which half of the tasks it belongs to, 0 or 1."""
        return zlib.crc32(self.task.encode()) % 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A ranking of steps (indices), and the agent blamed."""

    ranked: Sequence[int]
    agent: str


def _led_by(run: Run, first: int) -> Guess:
    """``first``, then the others in order."""
    rest = [i for i in run.candidates if i != first]
    return Guess(ranked=[first, *rest], agent=run.steps[first].agent)


def _first(run: Run) -> Guess:
    return _led_by(run, run.candidates[0])


def _last(run: Run) -> Guess:
    ranked = list(reversed(run.candidates))
    return Guess(ranked=ranked, agent=run.steps[ranked[0]].agent)


def _step_1(run: Run) -> Guess:
    """The second message, counted from 0 as the annotators do."""
    return _led_by(run, run.candidates[min(1, len(run.candidates) - 1)])


def _last_error(run: Run) -> Guess:
    failed = [i for i in run.candidates if run.steps[i].failed]
    return _led_by(run, failed[-1]) if failed else _last(run)


def _agent_with_most(run: Run, weigh: Callable[[Shown], int]) -> Guess:
    """All steps of that agent, then the others; of agents alike the one that spoke first."""
    weight: Counter[str] = Counter()
    for step in run.steps:
        if step.kind == "assistant":
            weight[step.agent] += weigh(step)
    if not weight:
        return _first(run)
    agent = max(weight, key=lambda name: weight[name])
    return Guess(
        ranked=sorted(run.candidates, key=lambda i: (run.steps[i].agent != agent, i)), agent=agent
    )


def _most_active(run: Run) -> Guess:
    return _agent_with_most(run, lambda step: 1)


def _most_text(run: Run) -> Guess:
    return _agent_with_most(run, lambda step: step.length)


BASELINES: Mapping[str, Callable[[Run], Guess]] = {
    "first": _first,
    "last": _last,
    "step_1": _step_1,
    "most_active_agent": _most_active,
    "last_error": _last_error,
}
EXTRA: Mapping[str, Callable[[Run], Guess]] = {"agent_with_most_text": _most_text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """A logistic regression on nothing but where a step stands; the strongest trivial guess."""

    guesses: Sequence[Guess]

    @classmethod
    def of(cls, runs: Sequence[Run], train: Sequence[Run] | None, *, seed: int) -> Self:
        """Fit on ``train``, or in folds of ``runs`` where there is none."""
        if train:
            model = _fit(train)
            return cls(guesses=[_guess(model, run) for run in runs])
        fold = np.random.default_rng(seed).permutation(len(runs)) % FOLDS
        models = [
            _fit([run for run, at in zip(runs, fold, strict=True) if at != k]) for k in range(FOLDS)
        ]
        return cls(guesses=[_guess(models[k], run) for run, k in zip(runs, fold, strict=True)])


def _features(run: Run) -> NDArray[np.float64]:
    """Where a step stands in a run of that length, its kind, and which turn of its agent it is."""
    n = len(run.candidates)
    index = np.arange(n)
    share = index / max(1, n - 1)
    place = np.minimum(index, 10)[:, None] == np.arange(11)
    turns: Counter[str] = Counter()
    kinds: list[tuple[float, ...]] = []
    for at in run.candidates:
        step = run.steps[at]
        turns[step.agent] += 1
        turn = turns[step.agent]
        kinds.append((step.kind == "tool", turn == 1, min(turn, 4), len(turns)))
    rest = [share, share**2, np.log1p(index), np.log1p(n - 1 - index), np.full(n, np.log(n))]
    same_set = np.full((n, 1), run.set == "who_when")
    columns = [place, place * (n > 10), np.stack(rest, axis=1), np.array(kinds), same_set]
    return np.concatenate([np.asarray(column, dtype=np.float64) for column in columns], axis=1)


def _fit(runs: Sequence[Run]) -> Any:
    """Return a fitted model; None where no run shows a cause to learn from."""
    if not any(run.cause in run.candidates for run in runs):
        return None
    x = np.concatenate([_features(run) for run in runs])
    y = np.concatenate([np.array(run.candidates) == run.cause for run in runs])
    model: Any = LogisticRegression(C=10.0, max_iter=3_000)
    return model.fit(x, y)


def _guess(model: Any, run: Run) -> Guess:
    if model is None:
        return _first(run)
    p: NDArray[np.float64] = model.predict_proba(_features(run))[:, 1]
    candidates = run.candidates
    order: list[int] = np.argsort(-p, kind="stable").tolist()
    ranked = [candidates[i] for i in order]
    return Guess(ranked=ranked, agent=run.steps[ranked[0]].agent)
