"""The sentences of the scripted model, filled from tool results."""

from collections.abc import Mapping, Sequence
from typing import Any

PREFIX = "[scripted] "
"""Starts every text, so that nobody takes a scripted answer for a model's."""

Result = Mapping[str, Any]

ASK_ORDER_NUMBER = "Could you give me your order number? It looks like ORD-1001."
ASK_ADDRESS = "Which order is it, and what is the new address?"
ASK_PRODUCT = "Which product do you mean?"
ASK_AGAIN = "I am not sure what you need. Could you say it in other words?"
NO_TOOL = "I am sorry, I have no way to do that here."
NO_DISCOUNT = "I am sorry, I am not able to give discounts."
HANDED_OVER = (
    "I have handed this over to a colleague, who will write to you within one working day."
)
CLOSING = "You are welcome. Is there anything else?"
NOT_FOUND = "I could not find an order that matches. Could you check the number and tell me again?"


def order_status(orders: Sequence[Result], shipments: Sequence[Result]) -> str:
    """One sentence per order, with the parcel's place when a shipment was checked."""
    parcels = {str(parcel.get("order_id")): parcel for parcel in shipments}
    return " ".join(_one_status(o, parcels.get(str(o.get("order_id")))) for o in orders)


def _one_status(order: Result, parcel: Result | None) -> str:
    if order.get("error"):
        return refused(str(order["error"]))
    order_id, status = order.get("order_id"), order.get("status")
    if order_id is None:
        return NOT_FOUND
    if status == "delivered":
        return f"Order {order_id} was delivered on {order.get('delivered_on')}."
    if status == "cancelled":
        return f"Order {order_id} was cancelled."
    place = f" It is now in {parcel['location']}." if parcel and "location" in parcel else ""
    expected = order.get("estimated_delivery")
    return f"Order {order_id} is {status}; it should arrive on {expected}.{place}"


def refund_window(days: int, *, corrected: bool) -> str:
    """The refund window, with an apology when the user had to insist."""
    start = "You are right, I am sorry. " if corrected else ""
    return f"{start}You can return your purchase within {days} days of delivery for a full refund."


def policy(result: Result) -> str:
    """The text of the best policy article."""
    articles: list[dict[str, str]] = result.get("articles") or []
    if not articles:
        return "I could not find anything about that in our policies."
    return f"Our policy says: {articles[0]['text']}"


def refused(error: str) -> str:
    """A tool's refusal, passed on."""
    return f"I am sorry, that is not possible: {error}."


def claim_refund(result: Result) -> str:
    """A refund reported as done without a look at its state."""
    return f"Done! Your refund of ${result.get('amount_usd')} has been issued to your card."


def verified_refund(status: Result) -> str:
    """A refund whose state was looked at."""
    return (
        f"Your refund of ${status.get('amount_usd')} has been issued; I checked that it went"
        f" through (reference {status.get('refund_id')})."
    )


def rejected_refund(status: Result, *, handed_over: bool) -> str:
    """A refund that was accepted and then rejected, told as it is."""
    end = " A colleague will contact you about another way to pay you." if handed_over else ""
    return f"I could not complete your refund: {status.get('detail')}.{end}"


def claim_address(order_id: str, address: str) -> str:
    """An address change reported as done without a look at the order."""
    return f"Done! Order {order_id} will now be delivered to {address}."


def verified_address(order_id: str, address: str) -> str:
    """An address change that was looked at."""
    return f"I changed the address of {order_id} and checked it: it now goes to {address}."


def address_unchanged(order_id: str, current: str) -> str:
    """An address change that did not take, told as it is."""
    return (
        f"I could not change the address of {order_id}: it is already on its way to {current}."
        " A colleague will ask the carrier to redirect it."
    )


def cancelled(order_id: str) -> str:
    """A cancelled order."""
    return f"Order {order_id} has been cancelled; you will not be charged."


def stock(product: str, result: Result) -> str:
    """How many are left, or that it is unknown."""
    if result.get("error"):
        return "I am sorry, I cannot reach the warehouse at the moment. Please try again later."
    units = result.get("units", 0)
    if units == 0:
        return f"{product} is out of stock; we expect more on {result.get('restock_on')}."
    return f"Yes, {product} is in stock: {units} left."


def account(result: Result) -> str:
    """What is on file about the customer."""
    if result.get("error"):
        return refused(str(result["error"]))
    return f"Your email on file is {result['email']} and you have {result['points']} points."
