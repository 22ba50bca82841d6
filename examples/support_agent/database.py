"""The shop's order database: sqlite in memory or in a file, filled the same way every time."""

import random
import sqlite3
from collections.abc import Mapping
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from spanloop.examples.support_agent import catalogue

_PACKAGE = "spanloop.examples.support_agent"

_SEED = 20260302


class OrderDatabase:
    """A small order database; `reset()` brings back the first day."""

    def __init__(self, path: Path | None = None) -> None:
        """Open a database in memory, or in a new file at `path`, and fill it."""
        # Whoever serves a conversation does so on one thread at a time, but not on the same one.
        self._connection = sqlite3.connect(
            path if path is not None else ":memory:", check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._first_day = sqlite3.connect(":memory:", check_same_thread=False)
        self._first_day.executescript(files(_PACKAGE).joinpath("schema.sql").read_text("utf-8"))
        with self._first_day:
            _fill(self._first_day)
        self.reset()

    def reset(self) -> None:
        """Bring back the first day: a copy of pages, since every conversation begins with one."""
        self._first_day.backup(self._connection)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()
        self._first_day.close()

    def one(self, sql: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        """The first row of a query, None without rows."""
        row = self._connection.execute(sql, parameters).fetchone()
        return None if row is None else dict(row)

    def all(self, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All rows of a query."""
        return [dict(row) for row in self._connection.execute(sql, parameters)]

    def write(self, sql: str, parameters: Mapping[str, Any]) -> int:
        """Run one writing statement in its own transaction; returns the changed rows."""
        with self._connection:
            return self._connection.execute(sql, parameters).rowcount


def _fill(connection: sqlite3.Connection) -> None:
    rng = random.Random(_SEED)
    connection.executemany(
        "INSERT INTO products VALUES (?, ?, ?, ?, ?, ?)", [tuple(p) for p in catalogue.PRODUCTS]
    )
    connection.executemany("INSERT INTO policy_articles VALUES (?, ?)", catalogue.ARTICLES)
    order_number = catalogue.FIRST_ORDER
    for i in range(catalogue.N_CUSTOMERS):
        customer = _customer(i, rng)
        connection.execute(
            "INSERT INTO customers VALUES (:id, :name, :email, :address, :points)", customer
        )
        for j in range(catalogue.ORDERS_PER_CUSTOMER):
            order = _order(order_number, rng, state=_STATES[(i + 3 * j) % len(_STATES)])
            connection.execute(
                "INSERT INTO orders VALUES (:id, :customer_id, :sku, :quantity, :total_usd,"
                " :status, :payment_method, :card_expired, :placed_on, :estimated_delivery,"
                " :delivered_on, :carrier, :location, :shipping_address)",
                {**order, "customer_id": customer["id"], "shipping_address": customer["address"]},
            )
            order_number += 1


_STATES = (
    ("delivered", False), ("shipped", False), ("delivered", True), ("processing", False),
    ("shipped", False), ("delivered", False),
)  # fmt: skip
"""(order status, whether the card it was paid with has expired), dealt out in turn."""


def _customer(index: int, rng: random.Random) -> dict[str, Any]:
    first = catalogue.FIRST_NAMES[index % len(catalogue.FIRST_NAMES)]
    last = catalogue.LAST_NAMES[index % len(catalogue.LAST_NAMES)]
    street, city = rng.choice(catalogue.STREETS), rng.choice(catalogue.CITIES)
    return {
        "id": f"CUST-{101 + index}",
        "name": f"{first} {last}",
        "email": f"{first}.{last}.{index}@example.com".lower(),
        "address": f"{rng.randint(1, 99)} {street}, {city}",
        "points": rng.randint(0, 900),
    }


def _order(number: int, rng: random.Random, *, state: tuple[str, bool]) -> dict[str, Any]:
    status, card_expired = state
    product = rng.choice(catalogue.PRODUCTS)
    quantity = rng.randint(1, 2)
    placed = catalogue.TODAY - timedelta(days=rng.randint(2, 20))
    delivered = placed + timedelta(days=rng.randint(1, 2)) if status == "delivered" else None
    return {
        "id": f"ORD-{number}",
        "sku": product.sku,
        "quantity": quantity,
        "total_usd": product.price_usd * quantity,
        "status": status,
        "payment_method": "card",
        "card_expired": int(card_expired),
        "placed_on": placed.isoformat(),
        "estimated_delivery": (catalogue.TODAY + timedelta(days=rng.randint(1, 5))).isoformat(),
        "delivered_on": _iso(delivered),
        "carrier": rng.choice(catalogue.CARRIERS) if status != "processing" else None,
        "location": rng.choice(catalogue.DEPOTS) if status == "shipped" else None,
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
