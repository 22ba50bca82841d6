import pytest

from spanloop.optimizer.satisfaction.tools import Effect, ToolUse, effect


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("get_weather", Effect.READS),
        ("cancelOrder", Effect.CHANGES),
        ("invoice_create", Effect.CHANGES),
        ("check_order_status", Effect.READS),
        ("HTTPGet", Effect.READS),
        ("transfer_to_human", Effect.HANDS_OVER),
        ("bash", Effect.READS),
        ("", Effect.READS),
    ],
)
def test_names_say_what_a_tool_does(name: str, expected: Effect) -> None:
    assert effect(ToolUse(name, 100, 0.3, 0.1, 5.0)) is expected


def test_a_name_without_a_verb_is_judged_by_its_use() -> None:
    assert effect(ToolUse("invoice_v2", 40, 0.0, 0.8, 1.1)) is Effect.CHANGES
    assert effect(ToolUse("invoice_v2", 4, 0.0, 0.8, 1.1)) is Effect.READS  # too few to tell
    assert effect(ToolUse("invoice_v2", 40, 0.2, 0.8, 1.1)) is Effect.READS
