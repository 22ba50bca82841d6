"""The script for requests that ask for edits of a configuration: some good, some useless, one harmful.

It stands in for a model that writes prompts. It reads the components it is shown (JSON, one object a line)
and the kind of failure, and answers with fixed edits; like a real model it does not know which of them help.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from spanloop.examples.scripted_model.protocol import ChatRequest

_ASKS_FOR_EDITS = re.compile(r"\bJSON Schema\b.*\bedits\b", re.DOTALL)
_EAGER = re.compile(r"[^.]*\b(first|always)\b[^.]*\.", re.IGNORECASE)

Proposal = Mapping[str, Any]


def wants_edits(request: ChatRequest) -> bool:
    """Whether the request asks for edits as JSON, rather than for a word to a customer."""
    system = next((m.text for m in request.messages if m.role == "system"), "")
    return not request.tools and _ASKS_FOR_EDITS.search(system) is not None


def propose_edits(request: ChatRequest) -> str:
    """Return the answer as JSON text."""
    told = list(_objects("\n".join(m.text for m in request.messages if m.role == "user")))
    components = {str(t["component"]): str(t["text"]) for t in told if "component" in t}
    nothing: Mapping[str, Any] = {}
    failure = next((t for t in told if "failure" in t), nothing)
    return json.dumps({"proposals": list(_proposals(components, failure))})


def _proposals(components: Mapping[str, str], failure: Mapping[str, Any]) -> Iterator[Proposal]:
    category, title = str(failure.get("category")), str(failure.get("failure")).lower()
    searching = components.get("tool.search_orders.description", "")
    if category in ("tool_selection", "tool_failure_handling") and (
        eager := _EAGER.search(searching)
    ):
        yield _proposal(
            "tool_selection",
            "The description sends every question to a search that cannot find numbers.",
            component="tool.search_orders.description",
            operation="replace",
            passage=eager[0].strip(),
            text="Use it only when the customer gives no order number.",
        )
    elif category == "hallucination":
        yield _proposal(
            "context_injection",
            "The agent answers from nowhere what an article says.",
            component="tool.search_policy.guidance",
            operation="add",
            text="Before you state a period, a cost or a condition, always look up the policy.",
        )
    elif "corrected" in title:
        yield _proposal(
            "verification",
            "Changes are reported as done that were only accepted.",
            component="instructions",
            operation="add",
            text="After every refund or address change, check the outcome with a tool before you tell the "
            "customer that it is done; if it did not take effect, say so and hand over.",
        )
        yield _proposal(
            "instruction_refinement",
            "A warmer tone may calm a customer.",
            component="instructions",
            operation="add",
            text="Thank every customer warmly for their patience.",
        )
    elif category == "loop":
        yield _proposal(
            "stop_rule",
            "Without the tool nothing can be looked up twice.",
            component="tools.lookup_order",
            operation="disable",
        )


def _proposal(intervention: str, rationale: str, **edit: str) -> Proposal:
    return {"intervention": intervention, "edits": [edit], "rationale": rationale}


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    for line in text.splitlines():
        if line.startswith("{"):
            found: Any = json.loads(line)
            yield found
