"""An episode as spans: one trace, ``invoke_agent`` above ``chat`` and ``execute_tool``.

Ids come from the run id, so that a run that is told twice is told in the same spans.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

from spanloop.optimizer.models.chat import ChatReply, ChatTool, Message, ToolCall
from spanloop.optimizer.replay import semconv
from spanloop.optimizer.replay.episode import EpisodeRequest, EpisodeResult
from spanloop.optimizer.replay.world import ToolAnswer

# Not below "spanloop.": spans of that scope are the product's own and never mined.
SCOPE = InstrumentationScope("replay", "1")
Attributes = dict[str, AttributeValue]


def trace_id_of(run_id: str) -> str:
    """Return the trace id of a replayed run, 32 hex digits."""
    return hashlib.sha256(f"trace:{run_id}".encode()).hexdigest()[:32]


def root_span_id_of(run_id: str) -> str:
    """Return the id of the span that all others of a run are below, 16 hex digits."""
    return _span_id(run_id, 0)


def root_context(run_id: str, *, remote: bool = False) -> SpanContext:
    """Return the context of that span."""
    return _span_context(run_id, 0, remote=remote)


class Recorder:
    """Collects the spans of one episode; ``now_ns`` is nanoseconds since 1970."""

    def __init__(self, request: EpisodeRequest, model: str, now_ns: Callable[[], int]) -> None:
        self._request = request
        self._provider, slash, name = model.partition("/")
        self._model = name if slash else model
        self._now_ns = now_ns
        self._began_ns = now_ns()
        self._resource = Resource({"service.name": request.scenario.agent or "unknown"})
        self._spans: list[ReadableSpan] = []
        self._root = root_context(request.run_id)
        self._told: list[str] = []

    def now_ns(self) -> int:
        """Return the time at which something begins."""
        return self._now_ns()

    def chat(
        self,
        began_ns: int,
        messages: Sequence[Message],
        tools: Sequence[ChatTool],
        reply: "ChatReply | str",
    ) -> None:
        """Record a model call and its answer, or the kind of its failure.

        ``messages`` are those of the call before and what was added since.
        """
        attributes: Attributes = {
            semconv.OPERATION_NAME: "chat",
            semconv.PROVIDER_NAME: self._provider,
            semconv.REQUEST_MODEL: self._model,
            semconv.SYSTEM_INSTRUCTIONS: _json(
                [{"type": "text", "content": m.content} for m in messages if m.role == "system"]
            ),
            semconv.INPUT_MESSAGES: self._history(messages),
            semconv.TOOL_DEFINITIONS: _json(_definition(tool) for tool in tools),
        }
        if isinstance(reply, ChatReply):
            attributes |= _answered(reply)
        self._add(
            f"chat {self._model}",
            began_ns,
            attributes,
            kind=SpanKind.CLIENT,
            error=reply if isinstance(reply, str) else "",
        )

    def tool(self, began_ns: int, call: ToolCall, answer: ToolAnswer | None) -> None:
        """Record a tool call and its answer; None = there is no such tool."""
        attributes: Attributes = {
            semconv.OPERATION_NAME: "execute_tool",
            semconv.TOOL_NAME: call.name,
            semconv.TOOL_CALL_ID: call.id,
            semconv.TOOL_ARGUMENTS: call.arguments,
        }
        if answer is None:
            error = "unknown_tool"
        else:
            attributes |= {semconv.TOOL_RESULT: answer.result, semconv.TIER: answer.tier}
            error = "" if answer.status != "error" else "tool_error"
        self._add(f"execute_tool {call.name}", began_ns, attributes, error=error)

    def spans(self, result: EpisodeResult, answer: str | None) -> Sequence[ReadableSpan]:
        """Return all spans; the root, which says how the episode went, comes last."""
        opening = Message(role="user", content=self._request.scenario.content.opening)
        usage = {
            semconv.INPUT_TOKENS: result.input_tokens,
            semconv.OUTPUT_TOKENS: result.output_tokens,
        }
        attributes: Attributes = {
            **{name: tokens for name, tokens in usage.items() if tokens is not None},
            semconv.OPERATION_NAME: "invoke_agent",
            semconv.REQUEST_MODEL: self._model,
            semconv.INPUT_MESSAGES: _json([_parts(opening)]),
            semconv.SCENARIO: self._request.scenario.scenario_id,
            **outcome_attributes(result),
        }
        if answer is not None:
            said = Message(role="assistant", content=answer)
            attributes[semconv.OUTPUT_MESSAGES] = _json([_parts(said)])
        root = self._span(
            f"invoke_agent {self._request.scenario.agent}",
            self._root,
            self._began_ns,
            attributes,
            error="" if result.state == "finished" else result.error_kind or result.state,
        )
        return [*self._spans, root]

    def _history(self, messages: Sequence[Message]) -> str:
        """Return all but the system's messages as JSON; what was told before is not rendered again."""
        self._told += [
            "" if message.role == "system" else json.dumps(_parts(message), ensure_ascii=False)
            for message in messages[len(self._told) :]
        ]
        return f"[{', '.join(filter(None, self._told))}]"

    def _add(
        self,
        name: str,
        began_ns: int,
        attributes: Attributes,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        error: str = "",
    ) -> None:
        context = _span_context(self._request.run_id, len(self._spans) + 1)
        self._spans.append(
            self._span(name, context, began_ns, attributes, kind=kind, error=error, child=True)
        )

    def _span(
        self,
        name: str,
        context: SpanContext,
        began_ns: int,
        attributes: Attributes,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        error: str = "",
        child: bool = False,
    ) -> ReadableSpan:
        request = self._request
        identity: Attributes = {
            semconv.RUN_ID: request.run_id,
            semconv.CONFIGURATION: request.configuration.hash,
            semconv.CONVERSATION_ID: request.run_id,
            semconv.AGENT_NAME: request.scenario.agent,
        }
        return ReadableSpan(
            name=name,
            context=context,
            parent=self._root if child else None,
            resource=self._resource,
            attributes={**identity, **attributes, **({semconv.ERROR_TYPE: error} if error else {})},
            kind=kind,
            status=Status(StatusCode.ERROR, error) if error else Status(),
            start_time=began_ns,
            end_time=self._now_ns(),
            instrumentation_scope=SCOPE,
        )


def closing_span(
    request: EpisodeRequest, result: EpisodeResult, *, began_ns: int, ended_ns: int
) -> ReadableSpan:
    """Return the span that says how a run of an agent outside went: above the agent's own, no GenAI span."""
    return ReadableSpan(
        name="episode",
        context=root_context(request.run_id),
        resource=Resource({"service.name": request.scenario.agent or "unknown"}),
        attributes={
            semconv.RUN_ID: request.run_id,
            semconv.CONFIGURATION: request.configuration.hash,
            semconv.SCENARIO: request.scenario.scenario_id,
            **outcome_attributes(result),
        },
        start_time=began_ns,
        end_time=ended_ns,
        instrumentation_scope=SCOPE,
    )


def outcome_attributes(result: EpisodeResult) -> Attributes:
    """Return what the root span says of the episode: all of `EpisodeResult`."""
    known: Mapping[str, AttributeValue | None] = {
        semconv.STATE: result.state,
        semconv.ERROR_KIND: result.error_kind,
        semconv.COVERAGE: result.coverage,
        semconv.TIERS: json.dumps(dict(result.tiers)),
        semconv.FIRST_DIVERGENCE: result.first_divergence,
        semconv.STEPS: result.steps,
        semconv.RUN_INPUT_TOKENS: result.input_tokens,
        semconv.RUN_OUTPUT_TOKENS: result.output_tokens,
        semconv.TRACES: ",".join(result.trace_ids),
        semconv.COST_USD: result.cost_usd,
        semconv.LATENCY_MS: result.latency_ms,
    }
    return {name: value for name, value in known.items() if value is not None}


def _span_id(run_id: str, number: int) -> str:
    return hashlib.sha256(f"span:{run_id}:{number}".encode()).hexdigest()[:16]


def _span_context(run_id: str, number: int, *, remote: bool = False) -> SpanContext:
    return SpanContext(
        trace_id=int(trace_id_of(run_id), 16),
        span_id=int(_span_id(run_id, number), 16),
        is_remote=remote,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


def _answered(reply: ChatReply) -> Attributes:
    known: Mapping[str, AttributeValue | None] = {
        semconv.RESPONSE_MODEL: reply.model,
        semconv.OUTPUT_MESSAGES: _json([_parts(reply.message)]),
        semconv.INPUT_TOKENS: reply.input_tokens,
        semconv.OUTPUT_TOKENS: reply.output_tokens,
        semconv.FINISH_REASONS: [reply.finish_reason] if reply.finish_reason else None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _parts(message: Message) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if message.role == "tool":
        response = {"type": "tool_call_response", "id": message.tool_call_id}
        parts.append({**response, "response": message.content or ""})
    elif message.content:
        parts.append({"type": "text", "content": message.content})
    parts += [
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": _arguments(call)}
        for call in message.tool_calls
    ]
    return {"role": message.role, "parts": parts}


def _arguments(call: ToolCall) -> Any:
    try:
        return json.loads(call.arguments)
    except ValueError:
        return call.arguments


def _definition(tool: ChatTool) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": _json_or_text(tool.parameters),
    }


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _json(value: Any) -> str:
    return json.dumps(value if isinstance(value, list) else list(value), ensure_ascii=False)
