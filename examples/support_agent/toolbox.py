"""Which tools are offered under a configuration, and how one call of them is run."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from spanloop.examples.support_agent import tools
from spanloop.examples.support_agent.configuration import AgentConfiguration
from spanloop.examples.support_agent.messages import ToolCall
from spanloop.examples.support_agent.tools import Arguments, Result, Session, ToolError

_A = TypeVar("_A", bound=Arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool as the agent holds it; `run` takes the arguments as JSON text."""

    name: str
    description: str
    parameters: dict[str, Any]
    run: Callable[[Session, str], Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one call: JSON text for the model, and the kind of error if there was one."""

    content: str
    error_kind: str | None = None
    error_message: str | None = None


def offered_tools(configuration: AgentConfiguration) -> tuple[Tool, ...]:
    """The enabled tools, with the descriptions of the configuration."""
    return tuple(
        Tool(
            name=tool.name,
            description=configuration.tool_description(tool.name, tool.description),
            parameters=tool.parameters,
            run=tool.run,
        )
        for tool in TOOLS
        if configuration.tool_enabled(tool.name)
    )


def run_tool(offered: tuple[Tool, ...], call: ToolCall, session: Session) -> Outcome:
    """Run one call; a refusal, a failure or wrong arguments become an error result."""
    tool = next((tool for tool in offered if tool.name == call.name), None)
    if tool is None:
        return _failed("unknown_tool", f"there is no tool {call.name!r}")
    try:
        result = tool.run(session, call.arguments)
    except ValidationError as error:
        wrong = "; ".join(f"{_path(e['loc'])}: {e['msg']}" for e in error.errors())
        return _failed("invalid_arguments", wrong)
    except ToolError as error:
        return _failed(error.kind, str(error))
    return Outcome(content=json.dumps(result, ensure_ascii=False))


def chat_definition(tool: Tool) -> dict[str, Any]:
    """The tool as the chat-completions API takes it."""
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}


def span_definition(tool: Tool) -> dict[str, Any]:
    """The tool as `gen_ai.tool.definitions` takes it."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }


def _failed(kind: str, message: str) -> Outcome:
    content = json.dumps({"error": message}, ensure_ascii=False)
    return Outcome(content=content, error_kind=kind, error_message=message)


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location) or "arguments"


def _tool(function: Callable[[Session, _A], Result], arguments: type[_A], description: str) -> Tool:
    def run(session: Session, text: str) -> Result:
        return function(session, arguments.model_validate_json(text or "{}"))

    return Tool(
        name=getattr(function, "__name__", ""),
        description=description,
        parameters=arguments.model_json_schema(),
        run=run,
    )


TOOLS: tuple[Tool, ...] = (
    _tool(tools.lookup_order, tools.OrderArguments, "Read one order by its number."),
    _tool(tools.search_orders, tools.QueryArguments, "Find orders by the name of a product."),
    _tool(tools.lookup_customer, tools.CustomerArguments, "Read the signed-in customer's record."),
    _tool(tools.check_stock, tools.ProductArguments, "How many units of a product are left."),
    _tool(tools.check_shipping, tools.OrderArguments, "Where the parcel of an order is."),
    _tool(tools.issue_refund, tools.RefundArguments, "Refund an order."),
    _tool(tools.refund_status, tools.RefundStatusArguments, "The state of a refund."),
    _tool(tools.change_address, tools.AddressArguments, "Change where an order is delivered."),
    _tool(tools.cancel_order, tools.OrderArguments, "Cancel an order that was not sent yet."),
    _tool(tools.search_policy, tools.QueryArguments, "Search the shop's policies."),
    _tool(tools.hand_over, tools.HandOverArguments, "Hand the conversation over to a person."),
)
