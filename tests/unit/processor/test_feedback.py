"""Feedback at the border: what is accepted, what is refused, and who it is."""

from __future__ import annotations

from typing import Any

import pytest

from spanloop.processor.errors import InvalidRequest
from spanloop.processor.feedback import MAX_ITEMS, parse_feedback, pseudonym
from spanloop.processor.redaction import redact
from spanloop.receiver.feedback import to_export_request

TRACE = "5b8efff798038103d269b633813fc60c"
GOOD: dict[str, Any] = {"trace_id": TRACE, "label": "good", "user": "ann"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trace_id": None}, "feedback: name a trace_id or a conversation_id"),
        ({"trace_id": "xyz"}, "trace_id: String should match"),
        ({"trace_id": "0" * 32}, "must not be all zero"),
        ({"span_id": "0" * 15}, "span_id"),
        (
            {"trace_id": None, "conversation_id": "c", "span_id": "1" * 16},
            "span_id needs its trace_id",
        ),
        ({"label": None}, "give a score, a label or a comment"),
        ({"score": float("nan")}, "score: Input should be a finite number"),
        ({"score": "many"}, "score: Input should be a valid number"),
        ({"comment": "x" * 2_001}, "comment: String should have at most 2000 characters"),
        ({"name": " "}, "name: String should have at least 1 character"),
        ({"timestamp": "2026-09-01T10:00:00"}, "timestamp: Input should have timezone info"),
        ({"timestamp": "1960-09-01T10:00:00Z"}, "timestamp must lie between"),
        ({"timestamp": "2100-01-01T00:00:01Z"}, "timestamp must lie between 1970 and 2100"),
        ({"selection_probability": 0}, "selection_probability: Input should be greater than 0"),
        ({"stars": 5}, "stars: Extra inputs are not permitted"),
        ({"conversation_id": "a\0b"}, "conversation_id: String should match"),
    ],
)
def test_a_refusal_names_the_field(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_feedback({k: v for k, v in {**GOOD, **changes}.items() if v is not None})
    assert words in str(refused.value)


@pytest.mark.parametrize("content", [[], [GOOD] * (MAX_ITEMS + 1), "good", None, [[]], 7])
def test_what_is_no_feedback_is_refused(content: object) -> None:
    with pytest.raises(InvalidRequest):
        parse_feedback(content)


def test_refusals_of_a_list_say_which_and_end() -> None:
    with pytest.raises(InvalidRequest, match=r"^\[1\]\.score: .* and 15 more$"):
        parse_feedback([GOOD, *[{"trace_id": TRACE, "score": "secret"}] * 20])


def test_the_id_is_that_of_target_name_and_person_or_callers_id() -> None:
    def ids(**changes: object) -> str:
        (item,) = parse_feedback({**GOOD, **changes})
        return item.assessment_id("p")

    assert ids() == ids(label="bad", timestamp="2026-09-01T10:00:00Z", conversation_id="c")
    assert ids(id="1") == ids(id="1", user="bob")
    different = [ids(), ids(user="bob"), ids(name="other"), ids(id="1"), ids(span_id="1" * 16)]
    assert len(set(different)) == len(different)
    assert len({parse_feedback(GOOD)[0].assessment_id(p) for p in "ab"}) == 2


def test_its_log_record_is_the_conventions_event() -> None:
    said = {**GOOD, "score": 1, "timestamp": "2026-09-01T10:00:00.000001Z", "retract": True}
    request = to_export_request(parse_feedback(said), now_ns=5)
    scope = request.resource_logs[0].scope_logs[0]
    (record,) = scope.log_records
    assert (scope.scope.name, record.event_name) == (
        "spanloop.feedback",
        "gen_ai.evaluation.result",
    )
    assert (record.trace_id.hex(), record.span_id) == (TRACE, b"")
    assert (record.time_unix_nano, record.observed_time_unix_nano) == (1_788_256_800_000_001_000, 5)
    attributes = {a.key: a.value for a in record.attributes}
    assert attributes["gen_ai.evaluation.score.value"].double_value == 1
    assert attributes["gen_ai.evaluation.annotator_kind"].string_value == "HUMAN"
    assert attributes["spanloop.feedback.retracted"].bool_value
    assert "gen_ai.conversation.id" not in attributes


def test_a_pseudonym_is_nothing_that_redaction_changes() -> None:
    given = [pseudonym(str(n)) for n in range(2_000)]
    assert len(set(given)) == len(given)
    assert all(redact(word) == word and word.isalpha() and len(word) == 32 for word in given)
