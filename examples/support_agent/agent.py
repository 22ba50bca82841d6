"""The agent: a tool loop around a chat model, with every step recorded."""

import copy
from dataclasses import dataclass, field
from typing import Literal

from opentelemetry.context import Context
from opentelemetry.trace import Span

from spanloop.examples.support_agent.configuration import AgentConfiguration
from spanloop.examples.support_agent.database import OrderDatabase
from spanloop.examples.support_agent.instrumentation import Instrumentation, TurnIdentity, Usage
from spanloop.examples.support_agent.messages import Message, ToolCall
from spanloop.examples.support_agent.model import ChatModel, ModelError
from spanloop.examples.support_agent.telemetry import Telemetry
from spanloop.examples.support_agent.toolbox import offered_tools, run_tool
from spanloop.examples.support_agent.tools import Session

STEP_LIMIT_ANSWER = "I am sorry, I could not finish this. Please ask for a colleague."
MODEL_ERROR_ANSWER = "I am sorry, something went wrong on our side. Please try again."

Ending = Literal["answered", "step_limit", "model_error"]


@dataclass(slots=True, kw_only=True)
class Conversation:
    """A customer's conversation: grows by every turn."""

    id: str
    customer_id: str
    messages: list[Message] = field(default_factory=list[Message])


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one user turn came to.

    Attributes:
        tool_calls: names of the called tools, in order.
        span: the turn's root span (ended); feedback refers to it.
    """

    answer: str
    ending: Ending
    model_calls: int
    tool_calls: tuple[str, ...]
    span: Span = field(repr=False)

    @property
    def trace_id(self) -> str:
        """The turn's trace id, 32 hex digits."""
        return f"{self.span.get_span_context().trace_id:032x}"


class SupportAgent:
    """The customer-support agent of one configuration; not for concurrent use."""

    def __init__(
        self,
        configuration: AgentConfiguration,
        *,
        database: OrderDatabase,
        model: ChatModel,
        telemetry: Telemetry,
    ) -> None:
        """Put the parts together; nothing is opened here."""
        self.database = database
        self.instrumentation = Instrumentation(
            telemetry, configuration=configuration, model=model.settings
        )
        self._model = model
        self._adopt(configuration)

    def _adopt(self, configuration: AgentConfiguration) -> None:
        self.configuration = configuration
        self._tools = offered_tools(configuration)
        self._descriptions = {tool.name: tool.description for tool in self._tools}

    def under(self, configuration: AgentConfiguration) -> "SupportAgent":
        """The same agent on the same database under another configuration."""
        other = copy.copy(self)
        other.instrumentation = self.instrumentation.under(configuration)
        other._adopt(configuration)
        return other

    def start_conversation(self, conversation_id: str, *, customer_id: str) -> Conversation:
        """Open a conversation with a signed-in customer."""
        prompt = f"{self.configuration.system_prompt()}\n\nSigned-in customer: {customer_id}"
        return Conversation(
            id=conversation_id,
            customer_id=customer_id,
            messages=[Message(role="system", content=prompt)],
        )

    def reply(
        self, conversation: Conversation, question: str, *, parent: Context | None = None
    ) -> Turn:
        """Answer one user message: model and tools in turn until there is text, or no more steps.

        A model that fails ends the turn with an apology; the failure is on the spans. Without a
        `parent` the turn is a trace of its own, whatever is under way around it.
        """
        asked = Message(role="user", content=question)
        conversation.messages.append(asked)
        identity = TurnIdentity(conversation_id=conversation.id, user_id=conversation.customer_id)
        progress = _Progress()
        with self.instrumentation.turn(identity, asked, parent=parent or Context()) as span:
            try:
                answer, ending = self._loop(conversation, identity, progress)
            except ModelError as error:
                answer, ending = _say(MODEL_ERROR_ANSWER), "model_error"
                self.instrumentation.fail_turn(span, error.kind, str(error))
            if ending == "step_limit":
                self.instrumentation.fail_turn(span, "step_limit", "no answer within the steps")
            conversation.messages.append(answer)
            self.instrumentation.finish_turn(
                span, answer, usage=progress.usage, finish_reason=progress.finish_reason
            )
        return Turn(
            answer=answer.content or "",
            ending=ending,
            model_calls=progress.model_calls,
            tool_calls=tuple(progress.tool_calls),
            span=span,
        )

    def _loop(
        self, conversation: Conversation, identity: TurnIdentity, progress: "_Progress"
    ) -> tuple[Message, Ending]:
        for _ in range(self.configuration.parameters.max_steps):
            message = self._ask_model(conversation, identity, progress)
            if not message.tool_calls:
                return message, "answered"
            conversation.messages.append(message)
            for call in message.tool_calls:
                progress.tool_calls.append(call.name)
                content = self._call_tool(conversation, identity, call)
                answer = Message(role="tool", content=content, tool_call_id=call.id)
                conversation.messages.append(answer)
        return _say(STEP_LIMIT_ANSWER), "step_limit"

    def _ask_model(
        self, conversation: Conversation, identity: TurnIdentity, progress: "_Progress"
    ) -> Message:
        with self.instrumentation.chat(identity, conversation.messages, self._tools) as span:
            progress.model_calls += 1
            completion = self._model.complete(
                conversation.messages,
                tools=self._tools,
                parameters=self.configuration.parameters,
            )
            self.instrumentation.record_completion(span, completion)
        progress.usage.add(completion)
        progress.finish_reason = completion.finish_reason
        return completion.message

    def _call_tool(self, conversation: Conversation, identity: TurnIdentity, call: ToolCall) -> str:
        session = Session(database=self.database, customer_id=conversation.customer_id)
        description = self._descriptions.get(call.name, "")
        with self.instrumentation.tool(identity, call, description) as span:
            outcome = run_tool(self._tools, call, session)
            self.instrumentation.record_outcome(span, outcome)
        return outcome.content


@dataclass(slots=True)
class _Progress:
    """What the open turn has done so far."""

    usage: Usage = field(default_factory=Usage)
    model_calls: int = 0
    tool_calls: list[str] = field(default_factory=list[str])
    finish_reason: str | None = None


def _say(text: str) -> Message:
    return Message(role="assistant", content=text)
