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
    telling = _Telling(name, start_ns)
    for i, step in enumerate(steps):
        if step.kind == "user":
            telling.heard("user", {"type": "text", "content": step.text})
        elif step.kind == "assistant":
            telling.chat({"type": "text", "content": step.text})
        else:
            telling.call(f"{name}-{i}", step)
    telling.end()
    return telling.request


class _Telling:
    """A trace that grows; a span takes a second, and the next begins a second later."""

    def __init__(self, name: str, start_ns: int) -> None:
        self.request = ExportTraceServiceRequest()
        block = self.request.resource_spans.add()
        block.resource.attributes.add(key="service.name").value.string_value = AGENT
        self._spans = block.scope_spans.add()
        self._spans.scope.name = "shop"
        self._name, self._start, self._clock = name, start_ns, start_ns
        self._ids = iter(hashlib.sha256(f"{name}/{i}".encode()).digest()[:8] for i in range(10_000))
        self._root = next(self._ids)
        self._history: list[dict[str, object]] = []

    def heard(self, role: str, part: dict[str, object]) -> None:
        self._history.append({"role": role, "parts": [part]})

    def chat(self, part: dict[str, object]) -> None:
        said = [{"role": "assistant", "parts": [part], "finish_reason": "stop"}]
        self._span(
            "chat",
            "gpt-4o",
            **{
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.input.messages": json.dumps(self._history),
                "gen_ai.output.messages": json.dumps(said),
            },
        )
        self.heard("assistant", part)

    def call(self, call: str, step: Step) -> None:
        self.chat({"type": "tool_call", "id": call, "name": step.tool, "arguments": step.arguments})
        ran = self._span(
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
        self.heard("tool", {"type": "tool_call_response", "id": call, "response": step.result})

    def end(self) -> None:
        told = json.dumps(self._history)
        whole = self._span("invoke_agent", AGENT, **{"gen_ai.input.messages": told})
        whole.span_id, whole.parent_span_id = self._root, b""
        whole.start_time_unix_nano, whole.end_time_unix_nano = self._start, self._clock

    def _span(self, operation: str, subject: str, **attributes: str) -> Span:
        added = self._spans.spans.add(
            trace_id=hashlib.sha256(self._name.encode()).digest()[:16],
            span_id=next(self._ids),
            parent_span_id=self._root,
            name=f"{operation} {subject}".strip(),
        )
        added.kind = Span.SPAN_KIND_INTERNAL
        added.start_time_unix_nano, added.end_time_unix_nano = self._clock, self._clock + 10**9
        self._clock += 2 * 10**9
        for key, value in {
            "gen_ai.operation.name": operation,
            "gen_ai.conversation.id": self._name,
            "gen_ai.agent.name": AGENT,
            **attributes,
        }.items():
            added.attributes.add(key=key).value.string_value = value
        return added
