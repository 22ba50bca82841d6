"""What is asked of a sample: hints by their share, faults whenever they recur."""

from spanloop.optimizer.patterns.predicates import Facts, Predicate, Term
from spanloop.optimizer.patterns.vocabulary import MAX_TERMS, MIN_ROWS, build_vocabulary

N = 2_000


def _run(number: int, *, faulty: int, hints: int) -> Facts:
    """A run; the first ``faulty`` show a fault, they and the next ``hints`` its symptom."""
    return Facts(
        trajectory_id=f"t{number}",
        counts={},
        numbers={},
        symptoms=frozenset({("empty_result", "")} if number < faulty + hints else ()),
        faults=frozenset({"empty_result"} if number < faulty else ()),
    )


def _asked(*, faulty: int, hints: int = 0) -> set[Predicate]:
    sample = [_run(number, faulty=faulty, hints=hints) for number in range(N)]
    return set(build_vocabulary(sample).predicates)


HINT = Predicate.of(Term("symptom", "empty_result"))
FAULT = Predicate.of(Term("fault", "empty_result"))


def test_a_fault_is_asked_for_apart_from_the_hints_of_its_kind() -> None:
    assert _asked(faulty=100, hints=500) == {HINT, FAULT}


def test_a_fault_that_is_all_of_its_symptom_is_asked_for_once() -> None:
    assert _asked(faulty=100) == {HINT}


def test_a_rare_fault_is_asked_for_where_a_rare_hint_is_not() -> None:
    assert _asked(faulty=MIN_ROWS) == {FAULT}
    assert _asked(faulty=MIN_ROWS - 1) == set()
    assert _asked(faulty=0, hints=MIN_ROWS) == set()


def test_a_rare_fault_is_asked_for_beside_more_frequent_terms_than_are_kept() -> None:
    kinds, shown = 3 * MAX_TERMS, 30
    sample = [
        Facts(
            trajectory_id=f"t{number}",
            counts={},
            numbers={},
            symptoms=frozenset(
                ("tool_error", f"d{(number * shown + k) % kinds}") for k in range(shown)
            ),
            faults=frozenset({"empty_result"} if number < MIN_ROWS else ()),
        )
        for number in range(600)
    ]

    assert FAULT in build_vocabulary(sample).predicates
