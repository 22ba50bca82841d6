import numpy as np
from scipy import sparse

from benchmarks.truth.outcome_auc import learned_from
from benchmarks.truth.outcome_runs import Runs
from spanloop.optimizer.satisfaction.model import NAMES, Examples


def runs(n: int, label: str, *, graded: bool = False) -> Runs:
    return Runs(
        examples=Examples(
            numbers=np.zeros((n, len(NAMES))),
            counts=sparse.csr_array((n, 4)),
            groups=[label] * n,
        ),
        outcome=np.array([i % 2 for i in range(n)], dtype=np.float64),
        graded=graded,
        tasks=[f"{label}{i}" for i in range(n)],
        agents=["a"] * n,
        domains=["d"] * n,
        texts=["t"] * n,
        spans=np.ones(n),
    )


def test_the_set_of_the_same_name_teaches() -> None:
    learned = {"x": runs(3, "x"), "y": runs(4, "y")}
    teacher, told = learned_from("x", runs(5, "x"), learned)
    assert teacher is learned["x"]
    assert told == "training runs of x"


def test_without_the_name_all_runs_of_its_kind_of_outcome_teach_and_it_is_said() -> None:
    learned = {"y": runs(4, "y"), "x": runs(3, "x"), "g": runs(9, "g", graded=True)}
    teacher, told = learned_from("z", runs(5, "z"), learned)
    assert teacher is not None
    assert teacher.outcome.size == teacher.spans.size == len(teacher.tasks) == 7
    assert teacher.examples.numbers.shape == (7, len(NAMES))
    assert teacher.examples.counts.shape == (7, 4)
    assert told == "all training runs pooled (x, y): no set there is called z"


def test_without_training_runs_other_folds_teach() -> None:
    assert learned_from("z", runs(5, "z"), {})[0] is None
    assert learned_from("z", runs(5, "z"), {"g": runs(9, "g", graded=True)})[0] is None
