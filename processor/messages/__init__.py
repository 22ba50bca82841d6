"""Messages of every dialect in one form: a lenient reader with caps.

`read_content` turns the content columns of a span into OTel message parts, `read_tool` those of a tool's span
into its arguments and its answer. Neither raises, whatever the text is (docs/dialects.md).
"""

from spanloop.processor.messages.model import Message, Part, canonical_json, is_only_argument
from spanloop.processor.messages.reader import Caps
from spanloop.processor.messages.span import Content, Messages, read_content
from spanloop.processor.messages.tool import Tool, ToolContent, read_tool

__all__ = [
    "Caps",
    "Content",
    "Message",
    "Messages",
    "Part",
    "Tool",
    "ToolContent",
    "canonical_json",
    "is_only_argument",
    "read_content",
    "read_tool",
]
