"""The tool world: which recorded answer may be given again, and which must not."""

import json
from typing import Any

import pytest

from spanloop.optimizer.replay.world import MISS, Tape, ToolAnswer, ToolWorld
from tests.support.episodes import Recorded, tape, text

ORDER = {"order_id": "#W1", "status": "pending"}
CANCELLED = {"order_id": "#W1", "status": "cancelled"}
USER = {"user_id": "ann_1", "orders": ["#W1"]}
READ = ("get_order", {"order_id": "#W1"}, ORDER)
CANCEL = ("cancel_order", {"order_id": "#W1", "reason": "no longer needed"}, CANCELLED)
READ_AFTER = ("get_order", {"order_id": "#W1"}, CANCELLED)


def ask(world: ToolWorld, tool: str, arguments: dict[str, Any]) -> tuple[str, str]:
    answer = world.answer(tool, json.dumps(arguments))
    return answer.tier, answer.result


def world(*recordings: Any) -> ToolWorld:
    return ToolWorld(Tape(tape(*recordings)))


def test_a_call_as_recorded_is_answered_exactly() -> None:
    told = world([READ])
    assert ask(told, "get_order", {"order_id": "#W1"}) == ("exact", text(ORDER))
    assert dict(told.tiers) == {"exact": 1}


@pytest.mark.parametrize(
    "arguments",
    [
        {"amount": 2, "on": "2024-05-20", "to": "New York"},
        {"to": " new  york", "on": "2024-05-20T00:00:00Z", "amount": 2.0},
        {"to": "NEW YORK", "on": "2024-05-20", "amount": "2", "via": None, "stops": []},
    ],
)
def test_arguments_are_the_same_whatever_their_order_case_numbers_and_dates(
    arguments: dict[str, Any],
) -> None:
    told = world([("find_way", {"to": "New York", "on": "2024-05-20", "amount": 2}, "by air")])
    tier, result = ask(told, "find_way", arguments)
    assert (tier, result) == ("normalised", "by air")


@pytest.mark.parametrize("arguments", [{"zip": "1234"}, {"zip": "01234", "x": False}, {}])
def test_other_arguments_are_a_miss_that_the_agent_sees_as_an_error(
    arguments: dict[str, Any],
) -> None:
    told = world([("get_place", {"zip": "01234"}, "here")])
    answer = told.answer("get_place", json.dumps(arguments))
    assert answer == ToolAnswer(tier="miss", result=MISS, status="error")


def test_a_reading_from_before_a_write_is_not_given_after_it() -> None:
    told = world([READ, CANCEL])
    assert ask(told, "get_order", {"order_id": "#W1"})[0] == "exact"
    assert ask(told, *CANCEL[:2]) == ("exact", text(CANCELLED))
    tier, result = ask(told, "get_order", {"order_id": "#W1"})
    # The write's own answer holds the whole record as it is now.
    assert (tier, result) == ("stub", text(CANCELLED))


def test_a_reading_from_after_a_write_is_not_given_before_it() -> None:
    told = world([CANCEL, READ_AFTER])
    assert ask(told, "get_order", {"order_id": "#W1"})[0] == "miss"


def test_recordings_that_disagree_are_told_apart_by_their_writes() -> None:
    told = world([READ], [CANCEL, READ_AFTER])
    assert ask(told, "get_order", {"order_id": "#W1"}) == ("exact", text(ORDER))
    ask(told, *CANCEL[:2])
    assert ask(told, "get_order", {"order_id": "#W1"}) == ("exact", text(CANCELLED))


def test_recordings_that_disagree_in_the_same_state_are_a_miss() -> None:
    told = world([("get_time", {}, "9:00")], [("get_time", {}, "9:30")])
    assert ask(told, "get_time", {})[0] == "miss"


def test_the_recording_that_the_episode_follows_to_the_letter_decides() -> None:
    said = [
        [("get_status", {"line": "L100"}, "off"), ("get_status", {"line": "L100"}, "on")],
        [("get_user", {"id": "ann_1"}, USER), ("get_status", {"line": "L100"}, "on")],
    ]
    told = world(*said)
    assert ask(told, "get_user", {"id": "ann_1"})[0] == "exact"
    assert ask(told, "get_status", {"line": "L100"}) == ("exact", "on")
    own = world(said[0])
    assert [ask(own, "get_status", {"line": "L100"})[1] for _ in range(2)] == ["off", "on"]


def test_a_write_on_another_thing_does_not_matter() -> None:
    other = ("cancel_order", {"order_id": "#W2"}, {"order_id": "#W2", "status": "cancelled"})
    told = world([READ], [other])
    ask(told, *other[:2])
    assert ask(told, "get_order", {"order_id": "#W1"}) == ("exact", text(ORDER))


def test_a_write_that_names_nothing_may_have_changed_anything() -> None:
    told = world([("check_network", {}, "none")], [("reboot_device", {}, "done")])
    ask(told, "reboot_device", {})
    assert ask(told, "check_network", {})[0] == "miss"


def test_a_write_after_which_readings_stayed_the_same_may_be_passed_over() -> None:
    read: Recorded = ("check_plan", {}, "basic")
    write: Recorded = ("toggle_data", {}, "data is on")
    told = world([read, write, read], [("check_plan", {}, "basic"), ("reboot_device", {}, "done")])
    for _ in range(2):
        ask(told, "toggle_data", {})
    assert ask(told, "check_plan", {}) == ("stub", "basic")


def test_a_write_that_missed_leaves_its_state_unknown() -> None:
    told = world([READ])
    assert ask(told, "cancel_order", {"order_id": "#W1"})[0] == "miss"
    assert ask(told, "get_order", {"order_id": "#W1"})[0] == "miss"


def test_a_write_that_failed_changed_nothing() -> None:
    refused = ("cancel_order", {"order_id": "#W1"}, "Error: too late")
    told = world([READ], [refused])
    assert told.answer("cancel_order", '{"order_id": "#W1"}').status == "error"
    assert ask(told, "get_order", {"order_id": "#W1"}) == ("exact", text(ORDER))


def test_a_write_made_twice_is_answered_as_the_recording_says() -> None:
    again = ("cancel_order", dict(CANCEL[1]), "Error: already cancelled")
    assert ask(made_twice := world([CANCEL, again]), *CANCEL[:2])[0] == "exact"
    assert ask(made_twice, *CANCEL[:2]) == ("exact", "Error: already cancelled")
    once = world([CANCEL])
    assert [ask(once, *CANCEL[:2])[0] for _ in range(2)] == ["exact", "miss"]


def test_what_a_writing_tool_is_told_in_prose_makes_no_difference() -> None:
    hand_over = ("transfer_to_people", {"summary": "Ann wants to cancel her order"}, "Transferred.")
    told = world([READ, hand_over])
    other = {"summary": "The customer asks for a full refund"}
    assert ask(told, "transfer_to_people", other) == ("normalised", "Transferred.")
    assert ask(told, "transfer_to_people", other) == ("stub", "Transferred.")  # also a second time
    cancelled = world([CANCEL])
    arguments = {"order_id": "#W1", "reason": "she simply does not want it"}
    assert ask(cancelled, "cancel_order", arguments)[0] == "miss"  # its reason was no prose


def test_what_a_reading_tool_is_asked_in_prose_is_a_question() -> None:
    one = ("search_help", {"query": "how do I return a lamp"}, "Within 30 days.")
    told = world([one])
    other = {"query": "how do I pay by invoice please"}
    assert ask(told, "search_help", other)[0] == "miss"


def test_a_record_that_another_call_told_whole_is_known() -> None:
    order2 = {"order_id": "#W2", "status": "sent"}
    listed = ("list_orders", {"user": "ann_1"}, {"orders": [ORDER, order2]})
    told = world([READ, listed])
    ask(told, *listed[:2])
    tier, result = ask(told, "get_order", {"order_id": "#w2"})
    assert (tier, json.loads(result)) == ("stub", order2)
    part = {"order_id": "#W3"}
    told = world([READ, ("list_orders", {"user": "ann_1"}, [part])])
    ask(told, "list_orders", {"user": "ann_1"})
    assert ask(told, "get_order", {"order_id": "#W3"})[0] == "miss"


def test_a_tape_says_which_tools_write_where_their_names_do_not() -> None:
    calls = tape([READ, ("get_it_done", {"order_id": "#W1"}, "done")])
    marked = [call.model_copy(update={"writes": call.tool == "get_it_done"}) for call in calls]
    silent, told = ToolWorld(Tape(calls)), ToolWorld(Tape(marked))
    for each in (silent, told):
        ask(each, "get_it_done", {"order_id": "#W1"})
    assert ask(silent, "get_order", {"order_id": "#W1"})[0] == "exact"
    assert ask(told, "get_order", {"order_id": "#W1"})[0] == "miss"


@pytest.mark.parametrize("arguments", ["", "no json", "[1, 2]", "null", '{"a": ' * 2000])
def test_arguments_of_any_shape_are_answered(arguments: str) -> None:
    assert ToolWorld(Tape(tape([READ]))).answer("get_order", arguments).tier == "miss"
    same = tape([READ])[0].model_copy(update={"arguments": arguments})
    assert ToolWorld(Tape([same])).answer("get_order", arguments).tier == "exact"


def test_a_call_whose_result_was_not_recorded_is_a_miss() -> None:
    silent = [call.model_copy(update={"result": None}) for call in tape([READ])]
    assert ask(ToolWorld(Tape(silent)), "get_order", {"order_id": "#W1"})[0] == "miss"
