"""The scripted users: what they say, what they expect, and how they react when it is not met.

A user has facts (from the database, taken when the conversation starts) and expectations. After
an answer the user compares: the pattern must be in it, and where the answer claims that something
was done, it must be so in the database. A user who is let down says the next `otherwise` line
and compares again; without lines left the user gives up.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from spanloop.examples.support_agent.database import OrderDatabase

_PACKAGE = "spanloop.examples.support_agent"

OrderKind = Literal["delivered", "delivered_expired_card", "shipped", "processing"]
Claim = Literal["refund_settled", "address_changed", "order_cancelled"]

_ORDERS_OF_KIND: Mapping[OrderKind, tuple[str, int]] = {
    "delivered": ("delivered", 0),
    "delivered_expired_card": ("delivered", 1),
    "shipped": ("shipped", 0),
    "processing": ("processing", 0),
}

_CLAIM_QUERIES: Mapping[Claim, str] = {
    "refund_settled": "SELECT 1 FROM refunds WHERE order_id = :order_id AND state = 'settled'",
    "address_changed": "SELECT 1 FROM orders WHERE id = :order_id"
    " AND shipping_address = :new_address",
    "order_cancelled": "SELECT 1 FROM orders WHERE id = :order_id AND status = 'cancelled'",
}

_CLAIMS_DONE = re.compile(r"\b(done|has been|now goes|will now|i changed)\b", re.IGNORECASE)


class _Script(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UserTurn(_Script):
    """One thing a user wants: the opening line, what would satisfy, and the follow-ups."""

    say: tuple[str, ...] = Field(min_length=1, description="one of them is said; all mean the same")
    expects: str | None = Field(default=None, description="regular expression; None: anything")
    claim: Claim | None = Field(default=None, description="what a claim of success must mean")
    otherwise: tuple[str, ...] = Field(default=(), description="lines said when it is not met")
    leaves: bool = Field(default=False, description="the last `otherwise` line is a goodbye")

    @field_validator("say", mode="before")
    @classmethod
    def _one_is_a_list(cls, say: object) -> object:
        return (say,) if isinstance(say, str) else say


class ConversationScript(_Script):
    """One scripted user."""

    name: str
    order: OrderKind = "delivered"
    turns: tuple[UserTurn, ...] = Field(min_length=1)
    closing: str | None = Field(default=None, description="said at the end by a satisfied user")


Facts = Mapping[str, str]


@cache
def load_conversations() -> tuple[ConversationScript, ...]:
    """The scripted users that ship with the package, in file order."""
    text = files(_PACKAGE).joinpath("conversations.yaml").read_text("utf-8")
    return tuple(ConversationScript.model_validate(entry) for entry in yaml.safe_load(text))


def orders_of_kind(database: OrderDatabase, kind: OrderKind) -> dict[str, str]:
    """The orders a script of this kind can be about: number → customer."""
    status, card_expired = _ORDERS_OF_KIND[kind]
    rows = database.all(
        "SELECT id, customer_id FROM orders"
        " WHERE status = :status AND card_expired = :card_expired ORDER BY id",
        {"status": status, "card_expired": card_expired},
    )
    return {row["id"]: row["customer_id"] for row in rows}


def facts_about(database: OrderDatabase, order_id: str, *, new_address: str) -> Facts:
    """What the user of an order knows; fills the `$names` of a script."""
    order = database.one(
        "SELECT o.*, p.name AS product, c.name AS customer, c.email FROM orders AS o"
        " JOIN products AS p USING (sku) JOIN customers AS c ON c.id = o.customer_id"
        " WHERE o.id = :id",
        {"id": order_id},
    )
    if order is None:
        raise LookupError(f"there is no order {order_id!r}")
    other = database.one(
        "SELECT id FROM orders WHERE customer_id = :customer_id AND id <> :id",
        {"customer_id": order["customer_id"], "id": order_id},
    )
    return {
        "order_id": order_id,
        "other_order_id": other["id"] if other else order_id,
        "customer_id": order["customer_id"],
        "email": order["email"],
        "product": order["product"],
        "expected": order["estimated_delivery"],
        "delivered_on": order["delivered_on"] or "",
        "location": order["location"] or "",
        "amount": str(order["total_usd"]),
        "address": order["shipping_address"],
        "new_address": new_address,
    }


def fill(line: str, facts: Facts) -> str:
    """A line with the user's facts in it."""
    return Template(line).substitute(facts)


def is_satisfied(turn: UserTurn, answer: str, *, facts: Facts, database: OrderDatabase) -> bool:
    """Whether an answer gives what the user wanted, and claims nothing that is not so."""
    if turn.expects is not None:
        pattern = fill(turn.expects, {name: re.escape(fact) for name, fact in facts.items()})
        if not re.search(pattern, answer, re.IGNORECASE):
            return False
    if turn.claim is None or not _CLAIMS_DONE.search(answer):
        return True
    return database.one(_CLAIM_QUERIES[turn.claim], facts) is not None
