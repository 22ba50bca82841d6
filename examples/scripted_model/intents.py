"""What the user wants, read from their words by fixed patterns, and the entities named."""

import re
from dataclasses import dataclass
from enum import StrEnum

from spanloop.examples.scripted_model.transcript import Transcript

_ORDER = re.compile(r"\bORD-\d+\b", re.IGNORECASE)
_CUSTOMER = re.compile(r"\bCUST-\d+\b", re.IGNORECASE)
_CHALLENGE = re.compile(
    r"\b(still|wrong|not right|not true|again|you said|website says|i just checked|by its number"
    r"|that can'?t be|doesn'?t help|not what i)\b",
    re.IGNORECASE,
)


class Intent(StrEnum):
    """The kinds of request the script has rules for."""

    HUMAN = "human"
    ADDRESS = "address"
    CANCEL = "cancel"
    REFUND_WINDOW = "refund_window"
    REFUND = "refund"
    WARRANTY = "warranty"
    SHIPPING_COST = "shipping_cost"
    DISCOUNT = "discount"
    STOCK = "stock"
    ACCOUNT = "account"
    ORDER_STATUS = "order_status"
    THANKS = "thanks"
    OTHER = "other"


INTENT_PATTERNS: tuple[tuple[Intent, re.Pattern[str]], ...] = tuple(
    (intent, re.compile(pattern, re.IGNORECASE))
    for intent, pattern in (
        (Intent.HUMAN, r"\b(human|real person|manager|supervisor)\b"),
        (Intent.ADDRESS, r"\b(address|deliver it to|ship it to)\b"),
        (Intent.CANCEL, r"\bcancel\b"),
        (
            Intent.REFUND_WINDOW,
            r"(how (long|many days)|until when|deadline|window|days).*\b(return|refund|send .* back)"
            r"|\b(return|refund)\w*\b.*(window|deadline|days|period)",
        ),
        (Intent.REFUND, r"\b(refund|money back|reimburse)"),
        (Intent.WARRANTY, r"\b(warranty|guarantee)\b"),
        (
            Intent.SHIPPING_COST,
            r"(shipping|delivery) (cost|fee|charge)|cost of (shipping|delivery)",
        ),
        (Intent.DISCOUNT, r"\b(discount|coupon|cheaper|voucher)\b"),
        (Intent.STOCK, r"\b(in stock|available|availability)\b"),
        (Intent.ACCOUNT, r"\b(my account|my email|loyalty points|on file)\b"),
        (
            Intent.ORDER_STATUS,
            r"\b(where|status|arriv\w*|track\w*|delivered|my order|orders?|package|ORD-\d+)\b",
        ),
        (Intent.THANKS, r"\b(thanks|thank you|perfect|great)\b"),
    )
)
"""First match wins; the order puts the specific before the general: an address change names an
order too, and a question about the refund window is not a request for a refund."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The latest question, understood in the light of the earlier ones."""

    intent: Intent
    order_ids: tuple[str, ...]
    topic: str
    """The user message that set the intent."""
    challenged: bool
    """The user disputes or repeats: the previous answer did not do."""


def understand(view: Transcript) -> Request:
    """Read intent and entities; a challenge inherits them from the message it disputes."""
    challenged = bool(view.earlier_questions and _CHALLENGE.search(view.question))
    messages = (view.question, *view.earlier_questions)
    topic = _topic(messages, challenged=challenged)
    return Request(
        intent=classify(topic),
        order_ids=_order_ids(messages),
        topic=topic,
        challenged=challenged,
    )


def classify(message: str) -> Intent:
    """The first intent whose pattern is in the message."""
    for intent, pattern in INTENT_PATTERNS:
        if pattern.search(message):
            return intent
    return Intent.OTHER


def customer_id(view: Transcript) -> str | None:
    """The signed-in customer as the prompt names it."""
    found = _CUSTOMER.search(view.system)
    return found.group().upper() if found else None


def product_asked_for(message: str) -> str | None:
    """The product named in a question such as 'Is the Aurora lamp in stock?'."""
    pattern = (
        r"\b(?:is|are|have|my|the|any) (?:the |any |my )?([A-Z][\w-]*(?: [\w-]+){0,3}?)"
        r"(?: (?:in stock|available|left|order|that|i)\b|[.?!,]|$)"
    )
    found = re.search(pattern, message)
    return found.group(1) if found else None


def address_asked_for(message: str) -> str | None:
    """The new address of 'change the address of ORD-1 to 5 Elm Street, Porto'."""
    found = re.search(r"\bto:? (\d+ .+?)[.?!]*$", message)
    return found.group(1) if found else None


def _topic(messages: tuple[str, ...], *, challenged: bool) -> str:
    first = classify(messages[0])
    if first is Intent.HUMAN or (not challenged and first is not Intent.OTHER):
        return messages[0]
    for message in messages[1:]:
        if classify(message) not in (Intent.OTHER, Intent.THANKS, Intent.HUMAN):
            return message
    return messages[0]


def _order_ids(messages: tuple[str, ...]) -> tuple[str, ...]:
    for message in messages:
        found = _ORDER.findall(message)
        if found:
            return tuple(dict.fromkeys(order_id.upper() for order_id in found))
    return ()
