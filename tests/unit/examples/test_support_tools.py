"""The agent's tools, over a database in memory."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spanloop.examples.support_agent.configuration import load_configuration
from spanloop.examples.support_agent.conversations import orders_of_kind
from spanloop.examples.support_agent.database import OrderDatabase
from spanloop.examples.support_agent.messages import ToolCall
from spanloop.examples.support_agent.toolbox import TOOLS, Outcome, offered_tools, run_tool
from spanloop.examples.support_agent.tools import Session


@pytest.fixture
def database() -> Iterator[OrderDatabase]:
    database = OrderDatabase()
    yield database
    database.close()


def call(
    database: OrderDatabase, tool: str, *, customer: str | None = None, **arguments: Any
) -> Outcome:
    if customer is None:
        order = database.one(
            "SELECT customer_id FROM orders WHERE id = :id", {"id": arguments.get("order_id")}
        )
        customer = order["customer_id"] if order else "CUST-101"
    session = Session(database=database, customer_id=customer)
    offered = offered_tools(load_configuration())
    return run_tool(offered, ToolCall(id="c", name=tool, arguments=json.dumps(arguments)), session)


def answer(outcome: Outcome) -> dict[str, Any]:
    assert outcome.error_kind is None, outcome
    result: dict[str, Any] = json.loads(outcome.content)
    return result


def test_database_is_the_same_every_time_and_after_a_reset(database: OrderDatabase) -> None:
    query = "SELECT * FROM orders ORDER BY id"
    first = database.all(query, {})
    database.write("UPDATE orders SET status = 'cancelled'", {})
    database.reset()
    assert database.all(query, {}) == first
    assert len(first) == 1800


def test_database_works_in_a_file(tmp_path: Path) -> None:
    database = OrderDatabase(tmp_path / "orders.sqlite")
    assert database.one("SELECT count(*) AS n FROM customers", {}) == {"n": 900}
    database.close()


def test_lookup_order_reads_own_orders_only(database: OrderDatabase) -> None:
    assert answer(call(database, "lookup_order", order_id="ORD-1001"))["status"] == "delivered"
    foreign = call(database, "lookup_order", order_id="ORD-1001", customer="CUST-136")
    assert foreign.error_kind == "not_found"


def test_search_finds_products_but_not_order_numbers(database: OrderDatabase) -> None:
    product = answer(call(database, "lookup_order", order_id="ORD-1001"))["items"][0]["product"]
    assert answer(call(database, "search_orders", query=product))["count"] >= 1
    assert answer(call(database, "search_orders", query="ORD-1001")) == {"orders": [], "count": 0}


@pytest.mark.parametrize(
    ("kind", "state"), [("delivered", "settled"), ("delivered_expired_card", "rejected")]
)
def test_refund_is_accepted_before_its_outcome_is_known(
    database: OrderDatabase, kind: Any, state: str
) -> None:
    order_id = next(iter(orders_of_kind(database, kind)))
    accepted = answer(call(database, "issue_refund", order_id=order_id, reason="broken"))
    assert accepted["status"] == "accepted"
    customer = database.one("SELECT customer_id AS c FROM orders WHERE id = :i", {"i": order_id})
    assert customer is not None
    status = call(
        database, "refund_status", customer=customer["c"], refund_id=accepted["refund_id"]
    )
    assert answer(status)["state"] == state
    again = call(database, "issue_refund", order_id=order_id, reason="broken")
    assert again.error_kind == "conflict"


@pytest.mark.parametrize(("kind", "changed"), [("processing", True), ("shipped", False)])
def test_address_change_is_accepted_even_when_it_has_no_effect(
    database: OrderDatabase, kind: Any, changed: bool
) -> None:
    order_id = next(iter(orders_of_kind(database, kind)))
    address = "150 New Street, Porto"
    accepted = call(database, "change_address", order_id=order_id, new_address=address)
    assert answer(accepted)["status"] == "accepted"
    current = answer(call(database, "lookup_order", order_id=order_id))["shipping_address"]
    assert (current == address) is changed


@pytest.mark.parametrize(
    ("tool", "arguments", "kind"),
    [
        ("lookup_order", {"order_id": "1001"}, "invalid_arguments"),
        ("lookup_order", {}, "invalid_arguments"),
        ("lookup_order", {"order_id": "ORD-1001", "extra": 1}, "invalid_arguments"),
        ("lookup_order", {"order_id": "ORD-9999"}, "not_found"),
        ("lookup_customer", {"customer_id": "CUST-102"}, "forbidden"),
        ("check_stock", {"product": "Nothing"}, "not_found"),
        ("check_stock", {"product": "Harbor Radio"}, "timeout"),
        ("fly_to_the_moon", {}, "unknown_tool"),
    ],
)
def test_errors_are_results_with_a_kind(
    database: OrderDatabase, tool: str, arguments: dict[str, Any], kind: str
) -> None:
    outcome = call(database, tool, customer="CUST-101", **arguments)
    assert outcome.error_kind == kind
    assert set(json.loads(outcome.content)) == {"error"}


def test_refusals_depend_on_the_state_of_the_order(database: OrderDatabase) -> None:
    shipped = next(iter(orders_of_kind(database, "shipped")))
    processing = next(iter(orders_of_kind(database, "processing")))
    delivered = next(iter(orders_of_kind(database, "delivered")))
    assert call(database, "cancel_order", order_id=shipped).error_kind == "too_late"
    assert answer(call(database, "cancel_order", order_id=processing))["status"] == "cancelled"
    early = call(database, "issue_refund", order_id=shipped, reason="late")
    assert early.error_kind == "not_delivered"
    late = call(database, "change_address", order_id=delivered, new_address="1 Elm Street")
    assert late.error_kind == "too_late"
    assert call(database, "check_shipping", order_id=delivered).error_kind == "not_in_transit"
    assert answer(call(database, "check_shipping", order_id=shipped))["location"]


def test_policy_search_and_hand_over(database: OrderDatabase) -> None:
    found = answer(call(database, "search_policy", query="refund window"))
    assert "30 days" in found["articles"][0]["text"]
    assert answer(call(database, "search_policy", query="xyzzy")) == {"articles": []}
    assert answer(call(database, "hand_over", reason="asked"))["status"] == "queued"
    assert answer(call(database, "check_stock", product="fjord speaker"))["units"] == 0
    assert answer(call(database, "lookup_customer", customer_id="CUST-101"))["points"] >= 0


def test_a_disabled_tool_is_not_offered() -> None:
    configuration = load_configuration()
    assert {t.name for t in offered_tools(configuration)} == {t.name for t in TOOLS}
    without = configuration.model_copy(
        update={"tools": {**configuration.tools, "hand_over": False}}
    )
    assert "hand_over" not in {tool.name for tool in offered_tools(without)}
