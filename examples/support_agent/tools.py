"""The agent's tools: real functions over the order database, with checked arguments.

A tool answers with a JSON object. Two of them accept a request that may fail later, as real
back ends do: a refund to an expired card is accepted and then rejected, and an address change
of a parcel already on its way is accepted and has no effect. Who does not look, does not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from spanloop.examples.support_agent.database import OrderDatabase


class ToolError(Exception):
    """A tool refused or failed; the message goes to the model.

    Attributes:
        kind: low-cardinality reason, for `error.type`.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Arguments(BaseModel):
    """Arguments of a tool; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OrderArguments(Arguments):
    """One order by its number."""

    order_id: str = Field(description="order number such as ORD-1001", pattern=r"^ORD-\d+$")


class CustomerArguments(Arguments):
    """One customer by number."""

    customer_id: str = Field(description="customer number such as CUST-101")


class QueryArguments(Arguments):
    """A free-text search."""

    query: str = Field(description="words to search for", min_length=1)


class ProductArguments(Arguments):
    """One product by its name."""

    product: str = Field(description="name of the product")


class RefundArguments(OrderArguments):
    """An order to refund."""

    reason: str = Field(description="why, in the customer's words")


class RefundStatusArguments(Arguments):
    """A refund by its reference."""

    refund_id: str = Field(description="reference such as RF-1001")


class AddressArguments(OrderArguments):
    """An order and its new address."""

    new_address: str = Field(description="street and number, city", min_length=5)


class HandOverArguments(Arguments):
    """Why a person should take over."""

    reason: str = Field(description="what the colleague needs to know")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a tool may use: the database, and whose orders it may touch."""

    database: OrderDatabase
    customer_id: str


Result = dict[str, Any]


def lookup_order(session: Session, arguments: OrderArguments) -> Result:
    """One order of the customer, with items, dates and address."""
    order = _order(session, arguments.order_id)
    return {
        "order_id": order["id"],
        "status": order["status"],
        "items": [{"product": order["product"], "quantity": order["quantity"]}],
        "total_usd": order["total_usd"],
        "placed_on": order["placed_on"],
        "estimated_delivery": order["estimated_delivery"],
        "delivered_on": order["delivered_on"],
        "shipping_address": order["shipping_address"],
    }


def search_orders(session: Session, arguments: QueryArguments) -> Result:
    """Orders of the customer whose product name has all the words; numbers are not indexed."""
    rows = session.database.all(
        "SELECT o.id AS order_id, o.status, p.name AS product, o.estimated_delivery,"
        " o.delivered_on FROM orders AS o JOIN products AS p USING (sku)"
        " WHERE o.customer_id = :customer_id ORDER BY o.placed_on DESC, o.id",
        {"customer_id": session.customer_id},
    )
    words = arguments.query.lower().split()
    found = [row for row in rows if all(word in row["product"].lower() for word in words)]
    return {"orders": found[:5], "count": len(found)}


def lookup_customer(session: Session, arguments: CustomerArguments) -> Result:
    """The signed-in customer's own record."""
    if arguments.customer_id != session.customer_id:
        raise ToolError("forbidden", "that is another customer's record")
    customer = session.database.one(
        "SELECT id AS customer_id, name, email, address, points FROM customers WHERE id = :id",
        {"id": arguments.customer_id},
    )
    if customer is None:
        raise ToolError("not_found", f"there is no customer {arguments.customer_id}")
    return customer


def check_stock(session: Session, arguments: ProductArguments) -> Result:
    """Units of a product in the warehouse."""
    product = session.database.one(
        "SELECT * FROM products WHERE name = :name COLLATE NOCASE", {"name": arguments.product}
    )
    if product is None:
        raise ToolError("not_found", f"there is no product {arguments.product!r}")
    if not product["warehouse_reachable"]:
        raise ToolError("timeout", "the warehouse did not answer")
    return {
        "product": product["name"],
        "units": product["units"],
        "restock_on": product["restock_on"] if product["units"] == 0 else None,
    }


def check_shipping(session: Session, arguments: OrderArguments) -> Result:
    """Where the parcel of an order is."""
    order = _order(session, arguments.order_id)
    if order["status"] != "shipped":
        raise ToolError("not_in_transit", f"order {order['id']} is {order['status']}")
    return {
        "order_id": order["id"],
        "carrier": order["carrier"],
        "location": order["location"],
        "estimated_delivery": order["estimated_delivery"],
    }


def issue_refund(session: Session, arguments: RefundArguments) -> Result:
    """Ask the payment provider for a refund; it decides after this call has returned."""
    order = _order(session, arguments.order_id)
    if order["status"] != "delivered":
        raise ToolError("not_delivered", f"order {order['id']} has not been delivered yet")
    refund_id = f"RF-{order['id'].removeprefix('ORD-')}"
    if session.database.one("SELECT id FROM refunds WHERE id = :id", {"id": refund_id}):
        raise ToolError("conflict", f"order {order['id']} has a refund already: {refund_id}")
    expired = bool(order["card_expired"])
    session.database.write(
        "INSERT INTO refunds VALUES (:id, :order_id, :amount, :state, :detail, :reason)",
        {
            "id": refund_id,
            "order_id": order["id"],
            "amount": order["total_usd"],
            "state": "rejected" if expired else "settled",
            "detail": "the card has expired" if expired else "paid to the card",
            "reason": arguments.reason,
        },
    )
    return {"status": "accepted", "refund_id": refund_id, "amount_usd": order["total_usd"]}


def refund_status(session: Session, arguments: RefundStatusArguments) -> Result:
    """The state of a refund at the payment provider."""
    refund = session.database.one(
        "SELECT r.id AS refund_id, r.state, r.detail, r.amount_usd FROM refunds AS r"
        " JOIN orders AS o ON o.id = r.order_id"
        " WHERE r.id = :id AND o.customer_id = :customer_id",
        {"id": arguments.refund_id, "customer_id": session.customer_id},
    )
    if refund is None:
        raise ToolError("not_found", f"there is no refund {arguments.refund_id}")
    return refund


def change_address(session: Session, arguments: AddressArguments) -> Result:
    """Ask the warehouse for another address; parcels on their way keep the old one."""
    order = _order(session, arguments.order_id)
    if order["status"] in ("delivered", "cancelled"):
        raise ToolError("too_late", f"order {order['id']} is {order['status']}")
    applied = order["status"] == "processing"
    session.database.write(
        "INSERT INTO address_changes VALUES (:order_id, :new_address, :state)",
        {
            "order_id": order["id"],
            "new_address": arguments.new_address,
            "state": "applied" if applied else "rejected",
        },
    )
    if applied:
        session.database.write(
            "UPDATE orders SET shipping_address = :new_address WHERE id = :id",
            {"new_address": arguments.new_address, "id": order["id"]},
        )
    return {"status": "accepted", "order_id": order["id"]}


def cancel_order(session: Session, arguments: OrderArguments) -> Result:
    """Cancel an order that has not left the warehouse."""
    order = _order(session, arguments.order_id)
    if order["status"] != "processing":
        raise ToolError("too_late", f"order {order['id']} is {order['status']}")
    session.database.write(
        "UPDATE orders SET status = 'cancelled' WHERE id = :id", {"id": order["id"]}
    )
    return {"status": "cancelled", "order_id": order["id"]}


def search_policy(session: Session, arguments: QueryArguments) -> Result:
    """Policy articles, those with the most words of the query first."""
    articles = session.database.all("SELECT title, text FROM policy_articles", {})
    words = arguments.query.lower().split()

    def hits(article: Mapping[str, Any]) -> int:
        text = f"{article['title']} {article['text']}".lower()
        return sum(word in text for word in words)

    found = sorted((a for a in articles if hits(a)), key=hits, reverse=True)
    return {"articles": found[:2]}


def hand_over(session: Session, arguments: HandOverArguments) -> Result:
    """Put the conversation into the queue of the human team."""
    session.database.write(
        "INSERT INTO handovers VALUES (:customer_id, :reason)",
        {"customer_id": session.customer_id, "reason": arguments.reason},
    )
    return {"status": "queued", "expected_reply": "within one working day"}


def _order(session: Session, order_id: str) -> dict[str, Any]:
    order = session.database.one(
        "SELECT o.*, p.name AS product FROM orders AS o JOIN products AS p USING (sku)"
        " WHERE o.id = :id AND o.customer_id = :customer_id",
        {"id": order_id, "customer_id": session.customer_id},
    )
    if order is None:
        raise ToolError("not_found", f"you have no order {order_id}")
    return order
