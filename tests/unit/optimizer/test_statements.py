"""The tables that analyses make for themselves."""

from __future__ import annotations

import re

from spanloop.exporter.render import statement_names
from spanloop.optimizer.statements import working_tables


def test_working_tables_are_found_and_are_none_of_those_that_are_kept() -> None:
    found = working_tables()
    assert {"changed_trajectories", "feedback_found", "feedback_read", "feedback_scales"} <= found
    kept = {re.sub(r".*/\d+_(\w+)\.sql", r"\1", path) for path in statement_names("migrations")}
    assert not found & kept
