"""Runs of a shop's support agent, made up, some with a failure. Imports nothing of the product.

Each story is drawn in its own words. A failure changes what the agent does, never what the user asks for.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

AGENT = "shop_desk"
_OPENINGS = {
    "cancel": (
        "Please cancel order {order}, {why}.",
        "{why}, so I do not want {order} any more. Can it be called off?",
        "Hi, stop {order} before it ships: {why}.",
    ),
    "refund": (
        "The {thing} of {order} {broken}. I want my money back.",
        "I got a {thing} that {broken}; how do I get a refund for {order}?",
        "Refund {order}, please. The {thing} {broken}.",
    ),
    "address": (
        "Send {order} to {street} instead, {why}.",
        "My parcel {order} must go to {street}: {why}.",
        "Can {order} still be delivered to {street}? The reason is that {why}.",
    ),
    "status": (
        "Where is my {thing}? The number is {order}.",
        "Has {order} left your warehouse yet? I need the {thing} soon.",
        "I have been waiting for {order}. When will the {thing} come?",
    ),
}
_TOOLS = {
    "cancel": "cancel_order",
    "refund": "issue_refund",
    "address": "set_address",
    "status": "",
}
_THINGS = (
    "kettle",
    "lamp",
    "desk chair",
    "radio",
    "toaster",
    "rug",
    "tent",
    "bicycle pump",
    "mirror",
    "fan",
)
_BROKEN = (
    "arrived cracked",
    "hums all night",
    "has the wrong colour",
    "does not start",
    "smells of glue",
)
_WHY = (
    "I ordered it twice",
    "my sister bought one already",
    "I found it cheaper",
    "we are moving house",
    "I will be abroad for a month",
    "it was the wrong size",
)
_STREETS = ("12 Elm Road", "4 Harbour Lane", "77 Mill Street", "9 Station Square")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened: a message of the user or the agent, or a call with its answer."""

    kind: str
    text: str = ""
    tool: str = ""
    arguments: dict[str, str] = field(default_factory=dict[str, str])
    result: str = ""
    failed: bool = False


def tell(rng: np.random.Generator) -> list[Step]:
    """Return a story that goes well."""
    topic = str(rng.choice(list(_OPENINGS)))
    order = f"A{int(rng.integers(10_000, 99_999))}"
    words = {
        "order": order,
        "thing": str(rng.choice(_THINGS)),
        "broken": str(rng.choice(_BROKEN)),
        "why": str(rng.choice(_WHY)),
        "street": str(rng.choice(_STREETS)),
    }
    opening = str(rng.choice(_OPENINGS[topic])).format(**words)
    found = json.dumps({"order": order, "item": words["thing"], "state": "packed", "total": 41.5})
    steps = [
        Step(kind="user", text=opening),
        Step(kind="tool", tool="find_order", arguments={"order": order}, result=found),
    ]
    if tool := _TOOLS[topic]:
        steps += [
            Step(kind="assistant", text=f"I found {order}. Shall I go ahead?"),
            Step(kind="user", text=str(rng.choice(("Yes, please.", "Go ahead.", "Yes.")))),
            Step(kind="tool", tool=tool, arguments={"order": order}, result='{"done": true}'),
            Step(kind="assistant", text=f"Done: {order} is taken care of."),
        ]
    else:
        steps.append(Step(kind="assistant", text=f"{order} is packed and leaves tomorrow."))
    return [
        *steps,
        Step(kind="user", text=str(rng.choice(("Thanks!", "Thank you, bye.", "Great.")))),
    ]


def _last_call(steps: Sequence[Step]) -> int:
    return max(i for i, step in enumerate(steps) if step.kind == "tool")


def repeat_call(steps: list[Step]) -> list[Step]:
    """The agent asks the same thing five times over."""
    return [*steps[:2], *[steps[1]] * 4, *steps[2:]]


def ignore_error(steps: list[Step]) -> list[Step]:
    """A call fails, and the agent says that all is done."""
    at = _last_call(steps)
    failed = replace(steps[at], result="Error: service unavailable", failed=True)
    return [
        *steps[:at],
        failed,
        *steps[at + 1 : -1],
        Step(kind="user", text="It does not look done to me."),
    ]


def stop_early(steps: list[Step]) -> list[Step]:
    """The agent promises the last step and never takes it."""
    at = _last_call(steps)
    promise = Step(kind="assistant", text="I will do that now, one moment please.")
    return [*steps[:at], promise, Step(kind="user", text="Hello? Are you still there?")]


def wrong_tool(steps: list[Step]) -> list[Step]:
    """The agent looks in the catalogue for an order, and only then where orders are."""
    wrong = replace(steps[1], tool="search_catalogue", result="Error: no such product", failed=True)
    return [steps[0], wrong, *steps[1:]]


FAILURES: dict[str, Callable[[list[Step]], list[Step]]] = {
    "repeat_call": repeat_call,
    "ignore_error": ignore_error,
    "stop_early": stop_early,
    "wrong_tool": wrong_tool,
}


def to_request(steps: Sequence[Step], name: str, start_ns: int) -> ExportTraceServiceRequest:
    """Return the spans of a story: a root, a chat for each turn of the agent, a span for each call."""
    request = ExportTraceServiceRequest()
    block = request.resource_spans.add()
    block.resource.attributes.add(key="service.name").value.string_value = AGENT
    spans = block.scope_spans.add()
    spans.scope.name = "shop"
    trace = hashlib.sha256(name.encode()).digest()[:16]
    clock = start_ns
    history: list[dict[str, object]] = []
    ids = iter(hashlib.sha256(f"{name}/{i}".encode()).digest()[:8] for i in range(10_000))
    root = next(ids)

    def span(operation: str, subject: str, **attributes: str) -> Span:
        nonlocal clock
        added = spans.spans.add(
            trace_id=trace,
            span_id=next(ids),
            parent_span_id=root,
            name=f"{operation} {subject}".strip(),
        )
        added.kind = Span.SPAN_KIND_INTERNAL
        added.start_time_unix_nano, added.end_time_unix_nano = clock, clock + 10**9
        clock += 2 * 10**9
        for key, value in {
            "gen_ai.operation.name": operation,
            "gen_ai.conversation.id": name,
            "gen_ai.agent.name": AGENT,
            **attributes,
        }.items():
            added.attributes.add(key=key).value.string_value = value
        return added

    def chat(parts: list[dict[str, object]]) -> None:
        span(
            "chat",
            "gpt-4o",
            **{
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.input.messages": json.dumps(history),
                "gen_ai.output.messages": json.dumps(
                    [{"role": "assistant", "parts": parts, "finish_reason": "stop"}]
                ),
            },
        )
        history.append({"role": "assistant", "parts": parts})

    for i, step in enumerate(steps):
        if step.kind == "user":
            history.append({"role": "user", "parts": [{"type": "text", "content": step.text}]})
        elif step.kind == "assistant":
            chat([{"type": "text", "content": step.text}])
        else:
            call = f"{name}-{i}"
            asked: dict[str, object] = {
                "type": "tool_call",
                "id": call,
                "name": step.tool,
                "arguments": step.arguments,
            }
            chat([asked])
            ran = span(
                "execute_tool",
                step.tool,
                **{
                    "gen_ai.tool.name": step.tool,
                    "gen_ai.tool.call.id": call,
                    "gen_ai.tool.call.arguments": json.dumps(step.arguments),
                    "gen_ai.tool.call.result": step.result,
                },
            )
            if step.failed:
                ran.status.code = Status.STATUS_CODE_ERROR
            heard = {"type": "tool_call_response", "id": call, "response": step.result}
            history.append({"role": "tool", "parts": [heard]})
    whole = span("invoke_agent", AGENT, **{"gen_ai.input.messages": json.dumps(history)})
    whole.span_id, whole.parent_span_id = root, b""
    whole.start_time_unix_nano, whole.end_time_unix_nano = start_ns, clock
    return request
