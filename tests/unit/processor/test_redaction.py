from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.processor.redaction import iban_holds, luhn_holds, redact

SECRETS = (
    "sk-proj-abcdefghijklmnop1234",
    "sk-ant-api03-abcdefghijklmnop1234",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "xoxb-123456789012-abcdef",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlcw",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_keys_of_known_shape_go(secret: str) -> None:
    assert redact(f"use {secret}, please") == "use <SECRET>, please"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Authorization: Bearer abcdefghijklmnop1234", "Authorization: Bearer <SECRET>"),
        ("postgres://ann:hunter22@db/x", "postgres://ann:<SECRET>@db/x"),
        ('{"password": "hunter22", "n": 1}', '{"password": "<SECRET>", "n": 1}'),
        (r'"{\"api_key\": \"abcdefgh\"}"', r'"{\"api_key\": \"<SECRET>\"}"'),
        ("api-key=abcdefgh&x=1", "api-key=<SECRET>&x=1"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- ok", "<SECRET> ok"),
        ("mail Ann.B+x@mail.example.org.", "mail <EMAIL>."),
        ("card 4111 1111 1111 1111!", "card <CARD>!"),
        ("card 378282246310005", "card <CARD>"),
        ("IBAN GB82 WEST 1234 5698 7654 32", "IBAN <IBAN>"),
        ("SSN 123-45-6789", "SSN <NATIONAL_ID>"),
        ("NI AB 12 34 56 C", "NI <NATIONAL_ID>"),
        ("no. 2 55 08 14 168 025 38", "no. <NATIONAL_ID>"),
        ("call +44 20 7946 0958 or (415) 555-2671", "call <PHONE> or <PHONE>"),
    ],
)
def test_what_is_recognised_becomes_its_kind(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # fails Luhn
        "1700000000000000000",  # a time stamp
        "2024-05-20T15:00:00.123456789Z",
        "000-45-6789 and 666-45-6789",
        "total_tokens: 1234567",
        "user_id=mia_li_3668, order #W1234567",
        "version 1.2.3.4, 127.0.0.1:4317",
        "a@b, @handle, x@localhost",
        "GB00 WEST 1234 5698 7654 32",
        "0af7651916cd43dd8448eb211c80319c",
        "the secret is safe",
    ],
)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert redact(text) == text


def test_checks() -> None:
    assert luhn_holds("79927398713")
    assert not luhn_holds("79927398710")
    assert not luhn_holds("0")
    assert iban_holds("DE89 3704 0044 0532 0130 00")
    assert not iban_holds("DE88 3704 0044 0532 0130 00")


@given(
    st.dictionaries(st.text(max_size=8), st.text(max_size=40), max_size=4), st.sampled_from(SECRETS)
)
def test_json_stays_json_and_twice_is_once(document: dict[str, str], secret: str) -> None:
    text = json.dumps({**document, "note": f"{secret} ann@example.org"})
    once = redact(text)
    json.loads(once)
    assert redact(once) == once
    assert secret not in once
