"""Models whose answers are written down beforehand: for tests without I/O."""

from collections.abc import Callable, Sequence

from spanloop.optimizer.models.chat import ChatReply, ChatTool, Message, Parameters
from spanloop.optimizer.models.port import ModelFailure, Prompt, Reply


class ScriptedAnswers:
    """Answers one prompt after the other; an exception in the list is raised. Keeps what it was asked."""

    name = "scripted/answers"

    def __init__(
        self, answers: Sequence[str | ModelFailure], *, usd_a_call: float | None = None
    ) -> None:
        self._answers = list(answers)
        self._usd = usd_a_call
        self.prompts: list[Prompt] = []

    def complete(self, prompt: Prompt) -> Reply:
        """Return the next answer."""
        self.prompts.append(prompt)
        answer = self._answers.pop(0)
        if isinstance(answer, ModelFailure):
            raise answer
        return Reply(
            text=answer, model=self.name, input_tokens=100, output_tokens=10, cost_usd=self._usd
        )

    def price_at_most(self, prompt: Prompt) -> float | None:
        """Return the price that every call has."""
        del prompt
        return self._usd


class ScriptedChat:
    """A `ChatModel` that asks ``script`` for every answer; keeps the nonces it was asked with."""

    name = "scripted/chat"

    def __init__(
        self,
        script: Callable[[Sequence[Message], Sequence[ChatTool]], Message | ModelFailure],
        *,
        usd_a_call: float | None = None,
    ) -> None:
        self._script = script
        self._usd = usd_a_call
        self.nonces: list[str] = []

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ChatTool],
        parameters: Parameters,
        *,
        nonce: str,
    ) -> ChatReply:
        """Return what the script says, or raise it."""
        del parameters
        self.nonces.append(nonce)
        said = self._script(messages, tools)
        if isinstance(said, ModelFailure):
            raise said
        return ChatReply(
            message=said,
            model=self.name,
            finish_reason="tool_calls" if said.tool_calls else "stop",
            input_tokens=100,
            output_tokens=10,
            cost_usd=self._usd,
        )

    def price_at_most(
        self, messages: Sequence[Message], tools: Sequence[ChatTool], parameters: Parameters
    ) -> float | None:
        """Return the price that every call has."""
        del messages, tools, parameters
        return self._usd
