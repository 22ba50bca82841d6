"""The gate's benchmark in small: the same code, few runs."""

import ast
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import expit

from benchmarks.gate import generator, practice, recorded, report
from benchmarks.gate.generator import BASE, OTHER_SHIFTS, SHIFTS, SPREAD, cells, draws
from benchmarks.gate.measures import measure, names, size_practice

CELLS = cells()


def one(name: str, repeats: int) -> generator.Cell:
    (found,) = [c for c in CELLS if c.name == name and c.repeats == repeats]
    return found


def test_the_generator_knows_nothing_of_the_product() -> None:
    tree = ast.parse(Path(generator.__file__).read_text(encoding="utf-8"))
    roots = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert roots <= {"collections", "dataclasses", "typing", "numpy", "scipy"}


@pytest.mark.parametrize(("mean", "shift"), [*SHIFTS.items(), *OTHER_SHIFTS.items()])
def test_shifts_give_their_means(mean: float, shift: float) -> None:
    z, w = hermegauss(120)
    w = w / w.sum()
    p = expit(BASE + SPREAD * z)
    q = expit(BASE + SPREAD * z[:, np.newaxis] + shift + SPREAD * z) @ w
    assert w @ p == pytest.approx(0.60, abs=1e-3)
    assert w @ (q - p) == pytest.approx(mean, abs=1e-3)


def test_every_cell_comes_in_both_designs_with_a_seed_of_its_own() -> None:
    assert [c.number for c in CELLS] == list(range(len(CELLS)))
    assert set(Counter(c.name for c in CELLS).values()) == {2}
    kinds = {c.name.split()[0] for c in CELLS}
    assert kinds == {"N0", "N1", "N2", "N3", "V", "F1", "F2", "J", "O", "H1", "H2", "H3", "H4", "P"}
    assert len(names(None)) == len(CELLS)


@pytest.mark.parametrize(
    ("name", "truth"), [("N1", 0.0), ("V", 0.0), ("V kept", 0.0), ("H2", 0.089), ("H4", 0.08)]
)
def test_draws_have_the_effect_that_the_cell_says(name: str, truth: float) -> None:
    draw = next(draws(one(name, 1), 120))
    difference = (draw.candidate.truth.mean(-1) - draw.baseline.truth.mean(-1)) * draw.weight
    assert difference.mean() / draw.weight.mean() == pytest.approx(truth, abs=0.012)
    assert (draw.patterns.sum(axis=1) == 30).all()


def test_small_run_of_cells_and_aims() -> None:
    told = size_practice(200)
    assert 120 <= told[0.15, 1].n <= 190
    wanted = (
        "N1",
        "V",
        "F2",
        "J +0.00 f=0.30 g=0.25",
        "J +0.00 f=0.30 g=0.00",
        "O",
        "H3",
        "P +0.15",
    )
    figures = [measure(one(name, 5), 60, told) for name in wanted]
    by_name = {f["cell"]: f for f in figures}
    assert by_name["P +0.15"]["guardrails_off"]["ships"] >= 0.9
    assert by_name["P +0.15"]["guardrails_off"]["median_over_c"] <= 0.95
    assert by_name["H3"]["guardrails_on"]["ships"] == 0.0
    beside = by_name["V"]["practice"]
    reused = beside["replay reused as baseline, unweighted"]["ships"]
    assert reused > 0.3 > by_name["V"]["guardrails_off"]["ships"]
    assert all(by_name[name]["guardrails_on"]["ships"] <= 0.1 for name in wanted[:6])
    aims = report.aims(figures, None)
    assert {aim["aim"].split(":")[0] for aim in aims if aim["met"] is None} >= {
        "false share of ships in a stream"
    }
    assert report.table(figures).count("\n") == len(figures)


def test_small_run_of_one_locked_set_and_of_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "STREAM", 20)
    siblings = measure(one("N2", 5), 20, {})
    assert siblings["practice"]["b"]["ships"] > siblings["guardrails_off"]["ships"]
    stream = measure(one("N3", 5), 20, {})
    assert stream["guardrails_off"]["false_share"] <= stream["practice"]["b"]["false_share"]


def test_practice_on_outcomes_with_a_known_answer() -> None:
    up = np.ones((3, 60, 1))
    assert practice.mean_went_up(up).all()
    assert practice.peeked_mcnemar(up).all()
    assert practice.sign_flip(up[..., 0], 60).all()
    assert practice.wald(up[..., 0], 0.1, 0.3)[0].all()
    for none in (practice.mean_went_up(-up), practice.peeked_mcnemar(-up)):
        assert not none.any()


def test_recorded_outcomes_are_compared_with_their_signs(tmp_path: Path) -> None:
    rows = [
        f'{{"domain": "airline", "task_id": {task}, "trial": {trial}, "reward": {(task + trial) % 2}}}'
        for task in range(12)
        for trial in range(4)
    ]
    better = [
        f'{{"domain": "airline", "task_id": "{task}", "agent": "{agent}", "reward": {reward}}}'
        for task in range(30)
        for agent, reward in (("a", float(task % 3 == 0)), ("b", 1.0), ("c", 0.0))
    ]
    for folder, lines in (("tau_bench", rows), ("tau2_bench", better)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ground_truth.jsonl").write_text("\n".join(lines), encoding="utf-8")
    real = recorded.measure(tmp_path, orders=20)
    assert real["a_a"]["tasks"] == 12
    assert (real["a_b"]["pairs"], real["a_b"]["against_the_sign"]) == (6, [])
    assert real["a_b"]["large_found"] == real["a_b"]["large"] == 2
