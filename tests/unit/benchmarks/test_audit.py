"""The judge of the durability benchmark must find what is lost and what is doubled."""

from pathlib import Path

from benchmarks.durability.audit import Audit, TableVerdict, compare
from benchmarks.durability.ledger import Ledger, read_ledger


def test_a_promised_key_that_is_nowhere_is_lost() -> None:
    assert compare([("a", 1)], {"a", "b", "c"}) == TableVerdict(1, lost=2, twice=0, extra=0)


def test_a_key_stored_twice_counts_once_even_if_nobody_was_promised_it() -> None:
    stored = [("a", 2), ("x", 3)]
    assert compare(stored, {"a"}) == TableVerdict(5, lost=0, twice=2, extra=1)


def test_a_key_listed_in_two_groups_is_added_up() -> None:
    assert compare([("a", 1), ("a", 1)], {"a"}).twice == 1


def test_what_a_sender_doubled_may_be_stored_as_often_and_no_more() -> None:
    stored = [("a", 2), ("b", 2), ("c", 3)]
    assert compare(stored, {"a", "b", "c"}, {"a": 2, "c": 2}).twice == 2


def test_an_audit_adds_up_its_tables() -> None:
    found = Audit(3, {"x": TableVerdict(3, 1, 0, 0), "y": TableVerdict(3, 2, 4, 0)})
    assert (found.lost, found.twice) == (3, 4)


def test_a_ledger_survives_its_writer(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.acknowledge([("t1", "s1"), ("t1", "s2")])
    ledger.acknowledge([("t2", "s3")])
    # Read while it is still open: an entry must not wait in a buffer.
    assert read_ledger(ledger.path) == [("t1", "s1"), ("t1", "s2"), ("t2", "s3")]
    assert ledger.n_acknowledged == 3
    ledger.close()
