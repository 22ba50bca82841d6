"""Instructions that nobody registered are read off traces without taking what belongs to one user."""

from __future__ import annotations

from spanloop.optimizer.candidates.observed import common_instructions, tool_descriptions
from spanloop.optimizer.scenarios.scenario import ToolSchema


def test_the_text_of_most_trajectories_is_taken_whole() -> None:
    assert common_instructions([("Be kind.", 9), ("Be rude.", 1), (None, 5)]) == (
        {"instructions": "Be kind."},
        [
            "5 of 15 trajectories carry no instructions",
            "1 of 10 trajectories carry other instructions",
        ],
    )


def test_what_changes_from_user_to_user_is_no_configuration() -> None:
    texts = [(f"Be kind.\nThe user is Ann {n}.\n\nNever waive fees.", 1) for n in range(4)]
    found, told = common_instructions(texts)
    assert found == {"instructions": "Be kind.\n\nNever waive fees."}
    assert "4 texts in 4" in told[0]


def test_nothing_carried_is_said_and_not_invented() -> None:
    assert common_instructions([(None, 3)]) == (
        {},
        ["3 of 3 trajectories carry no instructions", "instructions are unknown"],
    )
    assert common_instructions([]) == ({}, ["instructions are unknown"])


def test_secrets_and_people_in_what_is_read_off_traces_are_redacted() -> None:
    found, _ = common_instructions([("Escalate to ann@example.org.\napi_key=abcdefgh12", 3)])
    assert found == {"instructions": "Escalate to <EMAIL>.\napi_key=<SECRET>"}
    tool = ToolSchema(name="renew", description="Ask ann@example.org first.")
    assert tool_descriptions([tool]) == {"tool.renew.description": "Ask <EMAIL> first."}
