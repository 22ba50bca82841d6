"""The rules of feedback: one table for the statements and the page."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from spanloop.exporter.render import Renderer, SchemaSettings
from spanloop.optimizer.feedback import rules
from spanloop.optimizer.statements import statement
from tests.conftest import REPOSITORY

STATEMENTS = sorted(
    entry.name.removesuffix(".sql")
    for entry in files("spanloop.optimizer.feedback.sql").iterdir()
    if entry.name.endswith(".sql")
)
OF_THE_CALL = {"since", "until", "everything", "overlap_s"}
OF_SAMPLES = {
    *("completeness", "agent", "release", "stratified", "stratum", "positions"),
    *("sample", "trajectory", "name"),
}


def test_the_page_tells_the_table() -> None:
    page = (REPOSITORY / "docs" / "satisfaction.md").read_text(encoding="utf-8")
    assert rules.markdown() in page


def test_no_word_says_two_things() -> None:
    for words in (
        [*rules.GOOD, *rules.BAD, *rules.MIXED, *rules.YES, *rules.NO],
        [*rules.FEEDBACK_NAMES, *rules.OUTCOME_NAMES],
        rules.FIELDS,
    ):
        assert len(set(words)) == len(words)


def test_words_are_spelt_as_they_are_compared() -> None:
    for name in (*rules.FEEDBACK_NAMES, *rules.OUTCOME_NAMES):
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)
    for label in (*rules.GOOD, *rules.BAD, *rules.MIXED, *rules.YES, *rules.NO):
        assert label == label.lower()
        assert " " not in label
        assert "\ufe0f" not in label


def test_a_plain_attribute_tells_a_name_and_a_field_that_are_known() -> None:
    for name, field in rules.PLAIN.values():
        assert name in rules.FEEDBACK_NAMES
        assert field in rules.FIELDS
    assert "feedback" not in rules.PLAIN


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_parameter_of_a_statement_is_given(name: str) -> None:
    sql = statement(Renderer(settings=SchemaSettings()), f"feedback/{name}")
    assert sql.startswith("-- ")
    named = set(re.findall(r"\{(\w+):", sql))
    assert named <= {*rules.PARAMETERS, *OF_THE_CALL, *OF_SAMPLES}
