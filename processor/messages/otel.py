"""OTel GenAI message parts, current and legacy, and what every dialect calls ``text``."""

from spanloop.processor.messages.lenient import is_list, is_object
from spanloop.processor.messages.model import Message, Part, role_of, text_part
from spanloop.processor.messages.reader import Form, Object, Reader, first, label


def _message(item: Object, reader: Reader) -> list[Message] | None:
    """Read ``{role, parts}``; a Content of Gemini is one too, and may name no role."""
    parts = item.get("parts")
    if not is_list(parts) or "kind" in item:
        return None
    return [
        Message(
            role_of(item.get("role"), reader.speaker),
            reader.parts(parts),
            name=label(item.get("name")),
            finish_reason=label(item.get("finish_reason")),
        )
    ]


def _text(block: Object, reader: Reader) -> list[Part]:
    said = first(block, "text", "content", "value", "refusal")
    if said is None or said == "":
        return []
    # An annotated text: OpenAI's assistants have {"text": {"value": …}}.
    nested = said.get("value") if is_object(said) else None
    return [text_part(reader.text(said if nested is None else nested))]


def _reasoning(block: Object, reader: Reader) -> list[Part]:
    return reader.thought(first(block, "content", "text", "thinking", "reasoning", "summary") or "")


def _call(block: Object, reader: Reader) -> list[Part]:
    return [
        reader.call(block.get("name"), first(block, "arguments", "args", "input"), block.get("id"))
    ]


def _answer(block: Object, reader: Reader) -> list[Part]:
    # "result" in the conventions up to v1.37 and in Pydantic AI.
    response = first(block, "response", "result", "content")
    return [reader.answer(response, first(block, "id", "tool_call_id"), block.get("name"))]


def _server_call(block: Object, reader: Reader) -> list[Part]:
    return [reader.call(block.get("name"), block.get("server_tool_call"), block.get("id"))]


def _server_answer(block: Object, reader: Reader) -> list[Part]:
    return [
        reader.answer(block.get("server_tool_call_response"), block.get("id"), block.get("name"))
    ]


def media(block: Object, _reader: Reader) -> list[Part]:
    """Keep what kind of payload it was, and drop the payload."""
    kind = str(block.get("type") or "blob")
    return [
        Part(
            kind,
            modality=label(block.get("modality")) or _MODALITIES.get(kind),
            mime_type=label(
                first(block, "mime_type", "mimeType", "mediaType", "media_type", "contentType")
            ),
        )
    ]


_MODALITIES = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "image-url": "image",
    "audio": "audio",
    "input_audio": "audio",
    "audio-url": "audio",
    "video": "video",
    "video_url": "video",
    "video-url": "video",
    "document": "document",
    "document-url": "document",
    "input_file": "document",
}

OTEL = Form(
    name="otel",
    signs=frozenset(("parts",)),
    message=_message,
    blocks={
        "text": _text,
        "reasoning": _reasoning,
        "tool_call": _call,
        "tool_call_response": _answer,
        "server_tool_call": _server_call,
        "server_tool_call_response": _server_answer,
        **dict.fromkeys(("blob", "file", "uri", "media", "binary", *_MODALITIES), media),
    },
)
