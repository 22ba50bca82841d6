"""The Collector's ``gen_ai_normalizer``, emulated by the transform processor.

The real processor (contrib, since v0.154) cannot be had from the Go module proxy, so the tests cannot
build it in. These OTTL statements do the same renames and foldings of values, with its defaults
``remove_originals: false`` and ``overwrite: false``. Left out: its rebuilding of OpenInference's indexed
messages (``llm.input_messages.0.message.role``), which OTTL cannot express.
"""

from collections.abc import Mapping
from typing import Any

OPENINFERENCE: Mapping[str, str] = {
    "llm.token_count.prompt": "gen_ai.usage.input_tokens",
    "llm.token_count.completion": "gen_ai.usage.output_tokens",
    "llm.model_name": "gen_ai.request.model",
    "llm.provider": "gen_ai.provider.name",
    "embedding.model_name": "gen_ai.request.model",
    "reranker.model_name": "gen_ai.request.model",
    "tool.name": "gen_ai.tool.name",
    "tool.description": "gen_ai.tool.description",
    "tool_call.function.arguments": "gen_ai.tool.call.arguments",
    "tool_call.id": "gen_ai.tool.call.id",
    "agent.name": "gen_ai.agent.name",
    "session.id": "gen_ai.conversation.id",
}
OPENLLMETRY: Mapping[str, str] = {
    "llm.usage.prompt_tokens": "gen_ai.usage.input_tokens",
    "llm.usage.completion_tokens": "gen_ai.usage.output_tokens",
    "llm.request.model": "gen_ai.request.model",
    "llm.response.model": "gen_ai.response.model",
    "llm.request.max_tokens": "gen_ai.request.max_tokens",
    "llm.request.temperature": "gen_ai.request.temperature",
    "llm.request.top_p": "gen_ai.request.top_p",
    "llm.top_k": "gen_ai.request.top_k",
    "llm.frequency_penalty": "gen_ai.request.frequency_penalty",
    "llm.presence_penalty": "gen_ai.request.presence_penalty",
    "llm.chat.stop_sequences": "gen_ai.request.stop_sequences",
    "llm.request.functions": "gen_ai.tool.definitions",
    "traceloop.entity.name": "gen_ai.agent.name",
    "traceloop.entity.input": "gen_ai.input.messages",
    "traceloop.entity.output": "gen_ai.output.messages",
}
FINISH_REASONS = ("llm.response.finish_reason", "llm.response.stop_reason")
OPERATIONS: Mapping[str, Mapping[str, str]] = {
    "openinference.span.kind": {
        "llm": "chat",
        "embedding": "embeddings",
        "chain": "invoke_agent",
        "retriever": "retrieval",
        "reranker": "retrieval",
        "tool": "execute_tool",
        "agent": "invoke_agent",
        "prompt": "text_completion",
    },
    "traceloop.span.kind": {
        "workflow": "invoke_workflow",
        "task": "invoke_agent",
        "agent": "invoke_agent",
        "tool": "execute_tool",
    },
    "llm.request.type": {
        "completion": "text_completion",
        "chat": "chat",
        "rerank": "retrieval",
        "embedding": "embeddings",
    },
}


def transform_processor() -> dict[str, Any]:
    """Return the configuration of a transform processor that does what the normalizer does."""
    statements = [
        _rename(old, new, _attribute(old))
        for old, new in (*OPENINFERENCE.items(), *OPENLLMETRY.items())
    ]
    statements += [
        _rename(old, "gen_ai.response.finish_reasons", f"[{_attribute(old)}]")
        for old in FINISH_REASONS
    ]
    for old, names in OPERATIONS.items():
        for value, operation in names.items():
            statements.append(
                f'set({_attribute("gen_ai.operation.name")}, "{operation}") where '
                f"{_attribute('gen_ai.operation.name')} == nil and "
                f'IsString({_attribute(old)}) and ConvertCase({_attribute(old)}, "lower") == "{value}"'
            )
    return {
        "error_mode": "propagate",
        "trace_statements": [{"context": "span", "statements": statements}],
    }


def _attribute(name: str) -> str:
    return f'span.attributes["{name}"]'


def _rename(old: str, new: str, value: str) -> str:
    return f"set({_attribute(new)}, {value}) where {_attribute(old)} != nil and {_attribute(new)} == nil"
