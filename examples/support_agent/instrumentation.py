"""The agent's spans, events and metrics in the newest GenAI convention, made by hand.

One trace per user turn: `invoke_agent` (root) with `chat` and `execute_tool` children. Content is
written as JSON strings and only when the settings allow it. Names are in `semconv.py`.
"""

import copy
import json
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.util.types import AttributeValue

from spanloop.examples.support_agent import semconv
from spanloop.examples.support_agent.configuration import AgentConfiguration
from spanloop.examples.support_agent.messages import Message, ToolCall, parts_json
from spanloop.examples.support_agent.model import Completion, ModelError, ModelSettings
from spanloop.examples.support_agent.telemetry import Telemetry
from spanloop.examples.support_agent.toolbox import Outcome, Tool, span_definition

# Not below "spanloop.": spans of that scope are the product's own and never mined.
SCOPE_NAME = "support_agent"
SCOPE_VERSION = "1.0.0"

Attributes = dict[str, AttributeValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnIdentity:
    """Whose turn it is: goes on every span of the turn."""

    conversation_id: str
    user_id: str


@dataclass(slots=True)
class Usage:
    """Tokens of a turn, summed over its model calls; None until one of them says."""

    input_tokens: int | None = None
    output_tokens: int | None = None

    def add(self, completion: Completion) -> None:
        """Add one call's usage."""
        if completion.input_tokens is not None:
            self.input_tokens = (self.input_tokens or 0) + completion.input_tokens
        if completion.output_tokens is not None:
            self.output_tokens = (self.output_tokens or 0) + completion.output_tokens


class Instrumentation:
    """Records what an agent does; every span is closed by its context manager."""

    def __init__(
        self, telemetry: Telemetry, *, configuration: AgentConfiguration, model: ModelSettings
    ) -> None:
        """Take tracer, logger and instruments from the providers of `telemetry`."""
        self._settings = telemetry.settings
        self._configuration = configuration
        self._model = model
        self._tracer = telemetry.tracer_provider.get_tracer(SCOPE_NAME, SCOPE_VERSION)
        self._logger = telemetry.logger_provider.get_logger(SCOPE_NAME, SCOPE_VERSION)
        meter = telemetry.meter_provider.get_meter(SCOPE_NAME, SCOPE_VERSION)
        self._tokens = meter.create_histogram(
            semconv.METRIC_TOKEN_USAGE,
            unit="{token}",
            description="Tokens of one model call",
            explicit_bucket_boundaries_advisory=semconv.TOKEN_USAGE_BUCKETS,
        )
        self._duration = meter.create_histogram(
            semconv.METRIC_OPERATION_DURATION,
            unit="s",
            description="Duration of one model call",
            explicit_bucket_boundaries_advisory=semconv.DURATION_BUCKETS_S,
        )

    def under(self, configuration: AgentConfiguration) -> "Instrumentation":
        """The same for another configuration; instruments are made once."""
        other = copy.copy(self)
        other._configuration = configuration
        return other

    @contextmanager
    def turn(
        self, identity: TurnIdentity, question: Message, *, parent: Context
    ) -> Generator[Span]:
        """The span of one user turn, below `parent`."""
        attributes: Attributes = {
            semconv.OPERATION_NAME: semconv.INVOKE_AGENT,
            semconv.AGENT_NAME: self._configuration.name,
            semconv.AGENT_VERSION: self._configuration.version,
            semconv.AGENT_DESCRIPTION: self._configuration.description,
            semconv.REQUEST_MODEL: self._model.request_model,
            **_identity(identity),
            **self._content({semconv.INPUT_MESSAGES: parts_json([question])}),
        }
        name = f"{semconv.INVOKE_AGENT} {self._configuration.name}"
        with self._tracer.start_as_current_span(
            name, context=parent, kind=SpanKind.INTERNAL, attributes=attributes
        ) as span:
            yield span

    def record_feedback(self, identity: TurnIdentity, span: Span, *, score: float) -> None:
        """A user's own rating as an evaluation event on the turn that it is about."""
        attributes: dict[str, Any] = {
            semconv.EVALUATION_NAME: "user_feedback",
            semconv.EVALUATION_SCORE: score,
            semconv.EVALUATION_LABEL: "thumbs_up" if score > 0 else "thumbs_down",
            **_identity(identity),
        }
        self.emit(semconv.EVENT_EVALUATION, span, attributes)

    def emit(
        self,
        event: str,
        span: Span,
        attributes: dict[str, Any],
        *,
        severity: SeverityNumber = SeverityNumber.INFO,
    ) -> None:
        """A log event that belongs to `span`."""
        self._logger.emit(
            timestamp=time.time_ns(),
            context=set_span_in_context(span),
            severity_number=severity,
            severity_text=severity.name,
            event_name=event,
            attributes=attributes,
        )

    @contextmanager
    def chat(
        self, identity: TurnIdentity, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> Generator[Span]:
        """One model call; a ModelError is recorded and raised on."""
        attributes = self._chat_attributes(identity, messages, tools)
        name = f"{semconv.CHAT} {self._model.request_model}"
        started_s = time.perf_counter()
        error: str | None = None
        with self._tracer.start_as_current_span(
            name,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except ModelError as failure:
                error = failure.kind
                _fail(span, failure.kind, str(failure))
                self._emit_exception(
                    semconv.EVENT_CLIENT_EXCEPTION, span, kind=failure.kind, message=str(failure)
                )
                raise
            finally:
                labels = self._labels() | ({semconv.ERROR_TYPE: error} if error else {})
                self._duration.record(
                    time.perf_counter() - started_s, labels, context=set_span_in_context(span)
                )

    @contextmanager
    def tool(self, identity: TurnIdentity, call: ToolCall, description: str) -> Generator[Span]:
        """One tool call."""
        attributes: Attributes = {
            semconv.OPERATION_NAME: semconv.EXECUTE_TOOL,
            semconv.TOOL_NAME: call.name,
            semconv.TOOL_TYPE: "function",
            semconv.TOOL_DESCRIPTION: description,
            semconv.TOOL_CALL_ID: call.id,
            semconv.AGENT_NAME: self._configuration.name,
            **_identity(identity),
            **self._content({semconv.TOOL_CALL_ARGUMENTS: call.arguments}),
        }
        with self._tracer.start_as_current_span(
            f"{semconv.EXECUTE_TOOL} {call.name}",
            kind=SpanKind.INTERNAL,
            attributes=attributes,
        ) as span:
            yield span

    def _chat_attributes(
        self, identity: TurnIdentity, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> Attributes:
        parameters = self._configuration.parameters
        system = [{"type": "text", "content": m.content} for m in messages if m.role == "system"]
        attributes: Attributes = {
            semconv.OPERATION_NAME: semconv.CHAT,
            semconv.PROVIDER_NAME: self._model.provider,
            semconv.REQUEST_MODEL: self._model.request_model,
            semconv.REQUEST_TEMPERATURE: parameters.temperature,
            semconv.REQUEST_MAX_TOKENS: parameters.max_tokens,
            semconv.OUTPUT_TYPE: "text",
            semconv.AGENT_NAME: self._configuration.name,
            **_identity(identity),
            **self._content(
                {
                    semconv.SYSTEM_INSTRUCTIONS: json.dumps(system, ensure_ascii=False),
                    semconv.INPUT_MESSAGES: parts_json(m for m in messages if m.role != "system"),
                    semconv.TOOL_DEFINITIONS: json.dumps([span_definition(t) for t in tools]),
                }
            ),
        }
        server = self._model.server
        if server is not None:
            attributes[semconv.SERVER_ADDRESS] = server[0]
            if server[1] is not None:
                attributes[semconv.SERVER_PORT] = server[1]
        return attributes

    def _content(self, attributes: Attributes) -> Attributes:
        return attributes if self._settings.capture_content else {}

    def _labels(self) -> Attributes:
        return {
            semconv.OPERATION_NAME: semconv.CHAT,
            semconv.PROVIDER_NAME: self._model.provider,
            semconv.REQUEST_MODEL: self._model.request_model,
        }

    def record_completion(self, span: Span, completion: Completion) -> None:
        """What the model answered, on its span, in the token histogram and, if asked, as an event."""
        attributes = _completion_attributes(completion)
        content = self._content({semconv.OUTPUT_MESSAGES: parts_json([completion.message])})
        span.set_attributes({**attributes, **content})
        context = set_span_in_context(span)
        for kind, tokens in (
            ("input", completion.input_tokens),
            ("output", completion.output_tokens),
        ):
            if tokens is not None:
                labels = self._labels() | {semconv.TOKEN_TYPE: kind}
                self._tokens.record(tokens, labels, context=context)
        if self._settings.emit_details_events:
            self.emit(semconv.EVENT_OPERATION_DETAILS, span, dict(_attributes_of(span)))

    def record_outcome(self, span: Span, outcome: Outcome) -> None:
        """What a tool answered, on its span; an error also as a WARN event."""
        span.set_attributes(self._content({semconv.TOOL_CALL_RESULT: outcome.content}))
        if outcome.error_kind is None:
            return
        message = outcome.error_message or ""
        _fail(span, outcome.error_kind, message)
        self._emit_exception(
            semconv.EVENT_TOOL_EXCEPTION, span, kind=outcome.error_kind, message=message
        )

    def finish_turn(
        self, span: Span, answer: Message, *, usage: Usage, finish_reason: str | None
    ) -> None:
        """The turn's answer and the usage summed over its model calls."""
        attributes = self._content({semconv.OUTPUT_MESSAGES: parts_json([answer])})
        if usage.input_tokens is not None:
            attributes[semconv.USAGE_INPUT_TOKENS] = usage.input_tokens
        if usage.output_tokens is not None:
            attributes[semconv.USAGE_OUTPUT_TOKENS] = usage.output_tokens
        if finish_reason is not None:
            attributes[semconv.RESPONSE_FINISH_REASONS] = [finish_reason]
        span.set_attributes(attributes)

    def fail_turn(self, span: Span, kind: str, message: str) -> None:
        """The turn ended without a proper answer."""
        _fail(span, kind, message)

    def _emit_exception(self, event: str, span: Span, *, kind: str, message: str) -> None:
        attributes = {"exception.type": kind, "exception.message": message}
        self.emit(event, span, attributes, severity=SeverityNumber.WARN)


def _identity(identity: TurnIdentity) -> Attributes:
    return {
        semconv.CONVERSATION_ID: identity.conversation_id,
        semconv.USER_ID: identity.user_id,
    }


def _completion_attributes(completion: Completion) -> Attributes:
    optional: dict[str, AttributeValue | None] = {
        semconv.RESPONSE_ID: completion.response_id,
        semconv.RESPONSE_MODEL: completion.model,
        semconv.USAGE_INPUT_TOKENS: completion.input_tokens,
        semconv.USAGE_OUTPUT_TOKENS: completion.output_tokens,
        semconv.USAGE_CACHE_READ_TOKENS: completion.cache_read_tokens,
        semconv.RESPONSE_FINISH_REASONS: (
            None if completion.finish_reason is None else [completion.finish_reason]
        ),
    }
    return {name: value for name, value in optional.items() if value is not None}


def _attributes_of(span: Span) -> Mapping[str, AttributeValue]:
    return (span.attributes or {}) if isinstance(span, ReadableSpan) else {}


def _fail(span: Span, kind: str, message: str) -> None:
    span.set_attribute(semconv.ERROR_TYPE, kind)
    span.set_status(Status(StatusCode.ERROR, message))
