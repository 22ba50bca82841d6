"""The script: one rule per intent, each a pure function from a transcript to the next reply."""

from collections.abc import Callable, Mapping

from spanloop.examples.scripted_model import answers
from spanloop.examples.scripted_model.editor import propose_edits, wants_edits
from spanloop.examples.scripted_model.intents import (
    Intent,
    Request,
    address_asked_for,
    customer_id,
    product_asked_for,
    understand,
)
from spanloop.examples.scripted_model.protocol import Call, ChatRequest, Reply
from spanloop.examples.scripted_model.reading import (
    must_look_up_policy,
    must_verify_claims,
    preferred_tool,
    stated_refund_window,
)
from spanloop.examples.scripted_model.transcript import Step, Transcript, read_transcript

Rule = Callable[[Transcript, Request], Reply]

MADE_UP_REFUND_WINDOW_DAYS = 60
"""What the script says when nothing tells it the window: wrong on purpose."""


def decide(request: ChatRequest) -> Reply:
    """The scripted reply to one request, with `tool_choice` respected."""
    if wants_edits(request):
        return Reply(text=propose_edits(request))
    view = read_transcript(request)
    if request.tool_choice == "none":
        view = Transcript(
            system=view.system,
            tools={},
            question=view.question,
            earlier_questions=view.earlier_questions,
            steps=view.steps,
            earlier_steps=view.earlier_steps,
        )
    reply = _forced(request, view)
    if reply is None:
        asked = understand(view)
        reply = RULES[asked.intent](view, asked)
    if reply.calls:
        return reply
    return Reply(text=f"{answers.PREFIX}{reply.text}")


def _forced(request: ChatRequest, view: Transcript) -> Reply | None:
    choice = request.tool_choice
    if isinstance(choice, dict):
        return Reply(calls=(Call(tool=str(choice["function"]["name"]), arguments={}),))
    if choice == "required" and not view.steps and view.tools:
        asked = understand(view)
        reply = RULES[asked.intent](view, asked)
        return reply if reply.calls else _call(next(iter(view.tools)))
    return None


def _order_status(view: Transcript, asked: Request) -> Reply:
    if not asked.order_ids:
        return _order_by_product(view, asked)
    tool = _status_tool(view, asked)
    if tool is None:
        return Reply(text=answers.NO_TOOL)
    if not view.made(tool):
        key = "order_id" if tool == "lookup_order" else "query"
        return Reply(calls=tuple(Call(tool=tool, arguments={key: i}) for i in asked.order_ids))
    orders = [_order_of(step) for step in view.made(tool)]
    in_transit = [order for order in orders if order.get("status") == "shipped"]
    if in_transit and view.offers("check_shipping") and not view.made("check_shipping"):
        return Reply(
            calls=tuple(
                Call(tool="check_shipping", arguments={"order_id": order["order_id"]})
                for order in in_transit
            )
        )
    return Reply(text=answers.order_status(orders, [s.result for s in view.made("check_shipping")]))


def _status_tool(view: Transcript, asked: Request) -> str | None:
    if asked.challenged and "by its number" in view.question.lower():
        return preferred_tool(view, ("lookup_order",)) or preferred_tool(view, ("search_orders",))
    return preferred_tool(view, ("lookup_order", "search_orders"))


def _order_by_product(view: Transcript, asked: Request) -> Reply:
    product = product_asked_for(asked.topic)
    if product is None or not view.offers("search_orders"):
        return Reply(text=answers.ASK_ORDER_NUMBER)
    if not view.made("search_orders"):
        return _call("search_orders", query=product)
    return Reply(text=answers.order_status([_order_of(view.made("search_orders")[-1])], []))


def _order_of(step: Step) -> Mapping[str, object]:
    if step.tool == "lookup_order":
        return step.result
    found: list[dict[str, object]] = step.result.get("orders") or [{}]
    return found[0]


def _refund_window(view: Transcript, asked: Request) -> Reply:
    stated = stated_refund_window(view)
    if stated is not None:
        return Reply(text=answers.refund_window(stated, corrected=asked.challenged))
    if asked.challenged or must_look_up_policy(view):
        return _from_policy(view, "refund window")
    return Reply(text=answers.refund_window(MADE_UP_REFUND_WINDOW_DAYS, corrected=False))


def _warranty(view: Transcript, asked: Request) -> Reply:
    return _from_policy(view, "warranty")


def _shipping_cost(view: Transcript, asked: Request) -> Reply:
    return _from_policy(view, "shipping cost")


def _from_policy(view: Transcript, query: str) -> Reply:
    if not view.offers("search_policy"):
        return Reply(text=answers.NO_TOOL)
    if not view.made("search_policy"):
        return _call("search_policy", query=query)
    return Reply(text=answers.policy(view.made("search_policy")[-1].result))


def _refund(view: Transcript, asked: Request) -> Reply:
    if asked.challenged:
        return _recheck_refund(view, asked)
    if not asked.order_ids:
        return Reply(text=answers.ASK_ORDER_NUMBER)
    if not view.offers("issue_refund"):
        return Reply(text=answers.NO_TOOL)
    if not view.made("issue_refund"):
        return _call("issue_refund", order_id=asked.order_ids[0], reason=asked.topic[:120])
    issued = view.made("issue_refund")[-1]
    if issued.error is not None:
        return Reply(text=answers.refused(issued.error))
    if not must_verify_claims(view, "issue_refund") or not view.offers("refund_status"):
        return Reply(text=answers.claim_refund(issued.result))
    return _report_refund(view, str(issued.result.get("refund_id")))


def _recheck_refund(view: Transcript, asked: Request) -> Reply:
    issued = [step for step in view.earlier_steps if step.tool == "issue_refund"]
    if not issued or issued[-1].error is not None or not view.offers("refund_status"):
        return _hand_over(view, "refund disputed")
    return _report_refund(view, str(issued[-1].result.get("refund_id")))


def _report_refund(view: Transcript, refund_id: str) -> Reply:
    if not view.made("refund_status"):
        return _call("refund_status", refund_id=refund_id)
    status = view.made("refund_status")[-1].result
    if status.get("state") == "settled":
        return Reply(text=answers.verified_refund(status))
    if view.offers("hand_over") and not view.made("hand_over"):
        return _call("hand_over", reason=f"refund {refund_id} was rejected")
    return Reply(text=answers.rejected_refund(status, handed_over=bool(view.made("hand_over"))))


def _address(view: Transcript, asked: Request) -> Reply:
    address = address_asked_for(asked.topic)
    if not asked.order_ids or address is None:
        return Reply(text=answers.ASK_ADDRESS)
    order_id = asked.order_ids[0]
    if asked.challenged:
        return _report_address(view, order_id, address)
    if not view.offers("change_address"):
        return Reply(text=answers.NO_TOOL)
    if not view.made("change_address"):
        return _call("change_address", order_id=order_id, new_address=address)
    changed = view.made("change_address")[-1]
    if changed.error is not None:
        return Reply(text=answers.refused(changed.error))
    if not must_verify_claims(view, "change_address") or not view.offers("lookup_order"):
        return Reply(text=answers.claim_address(order_id, address))
    return _report_address(view, order_id, address)


def _report_address(view: Transcript, order_id: str, address: str) -> Reply:
    if not view.offers("lookup_order"):
        return _hand_over(view, "address change disputed")
    if not view.made("lookup_order"):
        return _call("lookup_order", order_id=order_id)
    current = str(view.made("lookup_order")[-1].result.get("shipping_address"))
    if current == address:
        return Reply(text=answers.verified_address(order_id, address))
    if view.offers("hand_over") and not view.made("hand_over"):
        return _call("hand_over", reason=f"address of {order_id} cannot be changed")
    return Reply(text=answers.address_unchanged(order_id, current))


def _cancel(view: Transcript, asked: Request) -> Reply:
    if not asked.order_ids:
        return Reply(text=answers.ASK_ORDER_NUMBER)
    if not view.offers("cancel_order"):
        return Reply(text=answers.NO_TOOL)
    if not view.made("cancel_order"):
        return _call("cancel_order", order_id=asked.order_ids[0])
    cancelled = view.made("cancel_order")[-1]
    if cancelled.error is not None:
        return Reply(text=answers.refused(cancelled.error))
    return Reply(text=answers.cancelled(asked.order_ids[0]))


def _stock(view: Transcript, asked: Request) -> Reply:
    product = product_asked_for(asked.topic)
    if product is None or not view.offers("check_stock"):
        return Reply(text=answers.ASK_PRODUCT)
    made = view.made("check_stock")
    if not made or (made[-1].error is not None and len(made) == 1):
        return _call("check_stock", product=product)  # one retry after an error
    return Reply(text=answers.stock(product, made[-1].result))


def _account(view: Transcript, asked: Request) -> Reply:
    customer = customer_id(view)
    if customer is None or not view.offers("lookup_customer"):
        return Reply(text=answers.NO_TOOL)
    if not view.made("lookup_customer"):
        return _call("lookup_customer", customer_id=customer)
    return Reply(text=answers.account(view.made("lookup_customer")[-1].result))


def _human(view: Transcript, asked: Request) -> Reply:
    return _hand_over(view, "the customer asked for a person")


def _hand_over(view: Transcript, reason: str) -> Reply:
    if not view.offers("hand_over"):
        return Reply(text=answers.NO_TOOL)
    if not view.made("hand_over"):
        return _call("hand_over", reason=reason)
    return Reply(text=answers.HANDED_OVER)


def _fixed(text: str) -> Rule:
    def rule(view: Transcript, asked: Request) -> Reply:
        return Reply(text=text)

    return rule


def _call(tool: str, **arguments: str) -> Reply:
    return Reply(calls=(Call(tool=tool, arguments=arguments),))


RULES: Mapping[Intent, Rule] = {
    Intent.HUMAN: _human,
    Intent.ADDRESS: _address,
    Intent.CANCEL: _cancel,
    Intent.REFUND_WINDOW: _refund_window,
    Intent.REFUND: _refund,
    Intent.WARRANTY: _warranty,
    Intent.SHIPPING_COST: _shipping_cost,
    Intent.DISCOUNT: _fixed(answers.NO_DISCOUNT),
    Intent.STOCK: _stock,
    Intent.ACCOUNT: _account,
    Intent.ORDER_STATUS: _order_status,
    Intent.THANKS: _fixed(answers.CLOSING),
    Intent.OTHER: _fixed(answers.ASK_AGAIN),
}
