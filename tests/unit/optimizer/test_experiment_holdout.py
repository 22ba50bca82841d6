"""Who may read held-out scenarios, and what a look costs."""

from __future__ import annotations

import ast
from importlib.resources import files
from pathlib import Path

import pytest

from spanloop.optimizer.experiments.holdout import HoldoutLimits, Look, allot, is_spent
from spanloop.optimizer.experiments.plan import make_plan
from spanloop.optimizer.gate.verdict import Decision
from tests.support.experiments import design, scenario, subject

PLAN = make_plan(subject(), design(), [scenario("s", generation=3)])
LOADERS = {"load_scenarios", "read_scenarios"}
OWNERS = ("scenarios/", "experiments/holdout.py")
"""They load any split: those that derive and store, and the one reader of what is held out."""
OPEN = {"train", "validation"}
SCAN = "make_corpus"
"""What is held out may be compared with a candidate's text, so that nothing of it gets there."""


def look(
    experiment: str, sequence: int, decision: Decision = "continue", generation: int = 3
) -> Look:
    return Look(
        look_id=f"{experiment}-{sequence}",
        generation=generation,
        experiment_id=experiment,
        sequence=sequence,
        level=0.01,
        closed=10,
        e_value=1.0,
        decision=decision,
    )


def named(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def splits(call: ast.Call) -> set[object] | None:
    for keyword in call.keywords:
        if keyword.arg == "splits":
            return {n.value for n in ast.walk(keyword.value) if isinstance(n, ast.Constant)} or None
    return None


def only_scanned(tree: ast.AST, call: ast.Call) -> bool:
    """Whether what ``call`` returns goes into the scan and nowhere else."""
    nodes = list(ast.walk(tree))
    names = {
        target.id
        for node in nodes
        if isinstance(node, ast.Assign) and node.value is call
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    read = [
        n
        for n in nodes
        if isinstance(n, ast.Name) and n.id in names and isinstance(n.ctx, ast.Load)
    ]
    given = [
        keyword.value
        for node in nodes
        if isinstance(node, ast.Call) and named(node) == SCAN
        for keyword in node.keywords
    ]
    return bool(names) and all(each in given for each in read)


def test_nobody_but_the_runner_reads_what_is_held_out() -> None:
    """Whoever else loads scenarios names splits that are open to it, as constants."""
    root = Path(str(files("spanloop.optimizer")))
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if name.startswith(OWNERS):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and named(call) in LOADERS:
                wanted = splits(call)
                where = f"{name}:{call.lineno}"
                assert wanted is not None, f"{where} loads every split"
                assert wanted <= OPEN or only_scanned(tree, call), f"{where} loads {wanted - OPEN}"


def test_the_first_test_gets_the_first_level_and_keeps_it() -> None:
    first = allot([], PLAN)
    assert first.sequence == 1
    assert 0 < first.level <= PLAN.design.false_share
    again = allot([look(PLAN.experiment_id, 1), look("other", 2, "ship")], PLAN)
    assert (again.sequence, again.level) == (1, 0.01)


def test_ships_earn_level_and_tests_cost_it() -> None:
    lost = allot([look("a", 1, "reject"), look("b", 2, "inconclusive")], PLAN)
    won = allot([look("a", 1, "ship"), look("b", 2, "inconclusive")], PLAN)
    assert lost.sequence == won.sequence == 3
    assert lost.level < won.level
    assert lost.level < allot([], PLAN).level


def test_candidates_on_one_locked_set_share_its_level() -> None:
    shared = make_plan(subject(), design(candidates=4), PLAN.scenarios)
    assert allot([], shared).level == pytest.approx(allot([], PLAN).level / 4)


def test_a_confirmation_is_no_test_of_the_online_rule() -> None:
    fresh = make_plan(subject(), design("confirmation"), [scenario("f", "fresh")])
    assert allot([look("a", 1)], fresh).sequence == 0
    assert allot([look("a", 1), look(fresh.experiment_id, 0)], PLAN).sequence == 2


def test_a_generation_is_spent_by_tests_or_by_looks() -> None:
    limits = HoldoutLimits(tests=2, looks=4)
    assert not is_spent([look("a", 1)] * 3, limits)
    assert is_spent([look("a", 1)] * 4, limits)
    assert is_spent([look("a", 1), look("b", 2)], limits)
    assert not is_spent([look("a", 1, generation=2), look("b", 2)], limits)
    assert not is_spent([look("a", 1), look("b", 0), look("c", 0)], limits)
