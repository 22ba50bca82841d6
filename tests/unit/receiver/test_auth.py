"""Who may send, and for which project."""

from __future__ import annotations

import pytest

from spanloop.receiver.auth import Tokens

TOKENS = Tokens.of({"s3cret": "a", "other": "b"}, default_project="default")


@pytest.mark.parametrize(
    ("header", "project"),
    [
        ("Bearer s3cret", "a"),
        ("bearer other", "b"),
        ("BEARER  s3cret ", "a"),
        ("Bearer S3CRET", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("s3cret", None),
        ("Basic s3cret", None),
        ("", None),
        (None, None),
        ("Bearer s3crét\udc80", None),
    ],
)
def test_only_a_known_bearer_token_has_a_project(header: str | None, project: str | None) -> None:
    assert TOKENS.project_of(header) == project


@pytest.mark.parametrize("header", [None, "", "Bearer whatever"])
def test_without_tokens_everyone_sends_for_the_default_project(header: str | None) -> None:
    assert Tokens.of({}, default_project="default").project_of(header) == "default"


def test_a_token_beyond_ascii_is_known_by_its_bytes() -> None:
    tokens = Tokens.of({"geheim-ü": "a"}, default_project="default")
    assert tokens.project_of("Bearer " + "geheim-ü".encode().decode("latin-1")) == "a"


def test_tokens_are_not_kept_as_text() -> None:
    assert "s3cret" not in repr(TOKENS)
