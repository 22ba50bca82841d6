"""Content blocks of Anthropic, Google, Amazon, the Vercel AI SDK and Genkit.

Their messages are chat messages (``role`` and ``content``, or ``parts``); what differs are the blocks.
"""

from typing import Any

from spanloop.processor.messages.lenient import NOT_JSON, is_list, is_object
from spanloop.processor.messages.model import Part, text_part
from spanloop.processor.messages.otel import media
from spanloop.processor.messages.reader import Form, Object, Reader, first

# --- Anthropic ---------------------------------------------------------------------------------


def _tool_use(block: Object, reader: Reader) -> list[Part]:
    return [reader.call(block.get("name"), block.get("input"), block.get("id"))]


def _tool_result(block: Object, reader: Reader) -> list[Part]:
    content = first(block, "content", "output", "result")
    call_id = first(block, "tool_use_id", "tool_call_id", "id")
    return [reader.answer("" if content is None else content, call_id, block.get("name"))]


def _thinking(block: Object, reader: Reader) -> list[Part]:
    return reader.thought(first(block, "thinking", "text") or "")


ANTHROPIC = Form(
    name="anthropic",
    blocks={
        "thinking": _thinking,
        "redacted_thinking": _thinking,
        "tool_use": _tool_use,
        "server_tool_use": _tool_use,
        "mcp_tool_use": _tool_use,
        "tool_result": _tool_result,
        "mcp_tool_result": _tool_result,
        "web_search_tool_result": _tool_result,
        "code_execution_tool_result": _tool_result,
    },
)

# --- Google: Gemini, ADK -----------------------------------------------------------------------


def _gemini_text(block: Object, reader: Reader) -> list[Part] | None:
    said = block["text"]
    if block.get("thought") is True:
        return reader.thought(said)
    return [text_part(reader.text(said))] if said not in (None, "") else []


def _function_call(block: Object, reader: Reader) -> list[Part] | None:
    call = first(block, "functionCall", "function_call")
    if not is_object(call):
        return None
    return [reader.call(call.get("name"), first(call, "args", "arguments"), call.get("id"))]


def _function_response(block: Object, reader: Reader) -> list[Part] | None:
    answer = first(block, "functionResponse", "function_response")
    if not is_object(answer):
        return None
    return [
        reader.answer(only_result(answer.get("response")), answer.get("id"), answer.get("name"))
    ]


def only_result(response: Any) -> Any:
    """Return what a tool answered without the object that ADK puts around what is none."""
    if is_object(response) and len(response) == 1:
        ((key, inner),) = response.items()
        return inner if key in ("result", "output", "error") else response
    return response


def _inline(block: Object, reader: Reader) -> list[Part] | None:
    data = first(block, "inlineData", "inline_data", "fileData", "file_data")
    return media(data, reader) if is_object(data) else None


def _candidates(item: Object) -> Any:
    candidates = item.get("candidates")
    if not is_list(candidates):
        return NOT_JSON
    return [first(c, "content", "text") for c in candidates if is_object(c)]


GEMINI = Form(
    name="gemini",
    inside=_candidates,
    keyed={
        "functionCall": _function_call,
        "function_call": _function_call,
        "functionResponse": _function_response,
        "function_response": _function_response,
        "inlineData": _inline,
        "inline_data": _inline,
        "fileData": _inline,
        "file_data": _inline,
        "text": _gemini_text,
    },
)

# --- Amazon Bedrock's Converse, Strands ----------------------------------------------------------


def _converse_use(block: Object, reader: Reader) -> list[Part] | None:
    use = block["toolUse"]
    if not is_object(use):
        return None
    return [reader.call(use.get("name"), use.get("input"), use.get("toolUseId"))]


def _converse_result(block: Object, reader: Reader) -> list[Part] | None:
    result = block["toolResult"]
    if not is_object(result):
        return None
    content = result.get("content")
    if is_list(content) and len(content) == 1 and is_object(content[0]):
        content = content[0].get("json", content)
    return [reader.answer(content, result.get("toolUseId"), result.get("name"))]


def _converse_reasoning(block: Object, reader: Reader) -> list[Part] | None:
    inner = block["reasoningContent"]
    text = first(inner, "reasoningText", "text") if is_object(inner) else inner
    return reader.thought(first(text, "text") if is_object(text) else text or "")


def _converse_media(block: Object, _reader: Reader) -> list[Part] | None:
    for modality in ("image", "document", "video", "audio"):
        if is_object(block.get(modality)):
            return [Part("blob", modality=modality)]
    return None


def _converse_output(item: Object) -> Any:
    output = item.get("output")
    return output["message"] if is_object(output) and "message" in output else NOT_JSON


BEDROCK = Form(
    name="bedrock",
    inside=_converse_output,
    keyed={
        "toolUse": _converse_use,
        "toolResult": _converse_result,
        "reasoningContent": _converse_reasoning,
        "cachePoint": lambda _block, _reader: [],
        **dict.fromkeys(("image", "document", "video", "audio"), _converse_media),
    },
)

# --- Vercel AI SDK -----------------------------------------------------------------------------


def _vercel_call(block: Object, reader: Reader) -> list[Part]:
    return [
        reader.call(block.get("toolName"), first(block, "input", "args"), block.get("toolCallId"))
    ]


def _vercel_result(block: Object, reader: Reader) -> list[Part]:
    output = vercel_output(first(block, "output", "result"))
    return [reader.answer(output, block.get("toolCallId"), block.get("toolName"))]


def vercel_output(output: Any) -> Any:
    """Return what a tool answered; version 5 wraps it in ``{type, value}``."""
    if is_object(output) and set(output) <= {"type", "value", "providerOptions"}:
        return output.get("value", output)
    return output


def _vercel_loose(block: Object, reader: Reader) -> list[Part] | None:
    """Read an entry of ``ai.response.toolCalls``, or a part of the UI (``tool-<name>``), with its answer."""
    named = {"toolName": str(block.get("type", "")).removeprefix("tool-"), **block}
    answered = "result" in block or "output" in block
    asked = not answered or "input" in block or "args" in block
    return [
        *(_vercel_call(named, reader) if asked else ()),
        *(_vercel_result(named, reader) if answered else ()),
    ]


VERCEL = Form(
    name="vercel",
    blocks={"tool-call": _vercel_call, "tool-result": _vercel_result},
    keyed={"toolCallId": _vercel_loose, "toolName": _vercel_loose},
)

# --- Genkit ------------------------------------------------------------------------------------


def _genkit_request(block: Object, reader: Reader) -> list[Part] | None:
    call = block["toolRequest"]
    if not is_object(call):
        return None
    return [reader.call(call.get("name"), call.get("input"), call.get("ref"))]


def _genkit_response(block: Object, reader: Reader) -> list[Part] | None:
    answer = block["toolResponse"]
    if not is_object(answer):
        return None
    return [reader.answer(answer.get("output"), answer.get("ref"), answer.get("name"))]


def _genkit_media(block: Object, reader: Reader) -> list[Part] | None:
    return media(block["media"], reader) if is_object(block["media"]) else None


GENKIT = Form(
    name="genkit",
    keyed={
        "toolRequest": _genkit_request,
        "toolResponse": _genkit_response,
        "media": _genkit_media,
    },
)
