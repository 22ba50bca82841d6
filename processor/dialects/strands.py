"""Strands Agents and AgentCore (section 2.4; strands-agents 1.62.0): OTel names, content on span events."""

from spanloop.processor.rules import Dialect, EventSource

STRANDS = Dialect(
    name="strands",
    scopes=("strands.telemetry.tracer",),
    markers=("event_loop.cycle_id", "event_loop.parent_cycle_id"),
    columns={"ToolDefinitions": ("gen_ai.agent.tools",)},
    presence={"event_loop.cycle_id": "step"},
    span_names={"execute_event_loop_cycle": "step"},
    events=(
        EventSource(
            event="gen_ai.tool.message", key="content", column="ToolArguments", classes=("tool",)
        ),
        EventSource(event="gen_ai.choice", key="message", column="ToolResult", classes=("tool",)),
        EventSource(event="gen_ai.choice", key="finish_reason", column="FinishReasons"),
    ),
)
