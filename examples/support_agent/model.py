"""The model behind the agent, reached through litellm: any provider, or the scripted server.

litellm is imported inside the constructor's call only: its import takes seconds and no program
that merely imports this package should pay for it. It reads its bundled price table instead of
fetching one, and no `.env` file.
"""

import importlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from spanloop.examples.support_agent.configuration import Parameters
from spanloop.examples.support_agent.messages import Message, ToolCall, to_chat
from spanloop.examples.support_agent.toolbox import Tool, chat_definition

SEMCONV_PROVIDERS: Mapping[str, str] = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""litellm provider -> `gen_ai.provider.name` where the two differ (semconv registry v0.1.0)."""


class ModelError(Exception):
    """The model could not be reached or refused.

    Attributes:
        kind: HTTP status code, or the name of litellm's error; for `error.type`.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Which model, where.

    Attributes:
        model: litellm's name, with the provider in front, e.g. `openai/gpt-5-mini`.
        api_base: base URL of an OpenAI-compatible server; None for the provider's own.
        api_key: key; None leaves it to the provider's environment variable.
        provider_name: `gen_ai.provider.name`; None derives it from `model`.
        timeout_s: seconds for one call.
        max_retries: retries of one call by the client after a 429, a 5xx or a lost connection.
    """

    model: str
    api_base: str | None = None
    api_key: str | None = field(default=None, repr=False)
    provider_name: str | None = None
    timeout_s: float = 60.0
    max_retries: int = 2

    @property
    def request_model(self) -> str:
        """The model name without litellm's provider prefix."""
        return self.model.partition("/")[2] or self.model

    @property
    def provider(self) -> str:
        """`gen_ai.provider.name` of the calls."""
        if self.provider_name is not None:
            return self.provider_name
        prefix, slash, _ = self.model.partition("/")
        return SEMCONV_PROVIDERS.get(prefix, prefix) if slash else "openai"

    @property
    def server(self) -> tuple[str, int | None] | None:
        """Host and port of `api_base`, None without one."""
        if self.api_base is None:
            return None
        parts = urlsplit(self.api_base)
        return None if parts.hostname is None else (parts.hostname, parts.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One answer of the model; None where it did not say."""

    message: Message
    response_id: str | None
    model: str | None
    finish_reason: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None


class ChatModel(Protocol):
    """What the agent needs of a model."""

    @property
    def settings(self) -> ModelSettings:
        """Which model it is."""
        ...

    def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Tool], parameters: Parameters
    ) -> Completion:
        """Answer a conversation; raises ModelError."""
        ...


class LiteLLMModel:
    """A `ChatModel` on `litellm.completion`."""

    def __init__(self, settings: ModelSettings) -> None:
        """Import litellm (seconds, the first time in a process) and keep the settings."""
        self.settings = settings
        self._litellm = _import_litellm()
        self._error: type[Exception] = importlib.import_module("openai").OpenAIError

    def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Tool], parameters: Parameters
    ) -> Completion:
        """Answer a conversation; raises ModelError."""
        settings = self.settings
        optional = {
            "api_base": settings.api_base,
            "api_key": settings.api_key,
            "tools": [chat_definition(tool) for tool in tools] or None,
        }
        try:
            response = self._litellm.completion(
                model=settings.model,
                messages=[to_chat(message) for message in messages],
                temperature=parameters.temperature,
                max_tokens=parameters.max_tokens,
                timeout=settings.timeout_s,
                max_retries=settings.max_retries,
                drop_params=True,
                # Our tools are plain functions. With tools, litellm 1.106 else imports its MCP
                # gateway, and fails where the optional package `mcp` is missing.
                _skip_mcp_handler=True,
                **{name: value for name, value in optional.items() if value is not None},
            )
        except self._error as error:  # the root of every error litellm raises for a call
            status = getattr(error, "status_code", None)
            raise ModelError(str(status or type(error).__name__), str(error)) from error
        return parse_completion(response.model_dump())


def parse_completion(body: Mapping[str, Any]) -> Completion:
    """Read a chat-completions response body."""
    choice = body["choices"][0]
    message = choice["message"]
    usage: Mapping[str, Any] = body.get("usage") or {}
    details: Mapping[str, Any] = usage.get("prompt_tokens_details") or {}
    return Completion(
        message=Message(
            role="assistant",
            content=message.get("content"),
            tool_calls=tuple(
                ToolCall(
                    id=call["id"],
                    name=call["function"]["name"],
                    arguments=call["function"]["arguments"],
                )
                for call in message.get("tool_calls") or ()
            ),
        ),
        response_id=body.get("id"),
        model=body.get("model"),
        finish_reason=choice.get("finish_reason"),
        input_tokens=usage.get("prompt_tokens"),
        output_tokens=usage.get("completion_tokens"),
        cache_read_tokens=details.get("cached_tokens"),
    )


def _import_litellm() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else it fetches a price table
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")  # else it reads a .env file it finds
    litellm: Any = importlib.import_module("litellm")
    litellm.suppress_debug_info = True  # else it prints advice to stdout at every error
    return litellm
