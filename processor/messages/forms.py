"""Every form, in the order in which they are asked."""

from spanloop.processor.messages.envelopes import REQUESTS, WRAPPERS
from spanloop.processor.messages.events import EVENTS
from spanloop.processor.messages.indexed import INDEXED, OPENINFERENCE
from spanloop.processor.messages.langchain import GENERATIONS, LANGCHAIN
from spanloop.processor.messages.openai import COMPLETIONS, OPENAI, RESPONSES
from spanloop.processor.messages.otel import OTEL
from spanloop.processor.messages.pydantic_ai import PYDANTIC_AI
from spanloop.processor.messages.reader import Forms
from spanloop.processor.messages.vendors import ANTHROPIC, BEDROCK, GEMINI, GENKIT, VERCEL

__all__ = ["FORMS"]

FORMS = Forms(
    (
        EVENTS,  # an event of Pydantic AI has the fields of a chat message too
        LANGCHAIN,  # so has a dumped message; its type names who speaks
        PYDANTIC_AI,  # has parts as OTel's messages have, but of several speakers
        OTEL,
        RESPONSES,  # an item of type message is a chat message beside others that are none
        OPENAI,  # takes whatever has a role
        # Blocks of content: their types differ, so the order does not matter, but for Gemini's bare "text".
        ANTHROPIC,
        VERCEL,
        BEDROCK,
        GENKIT,
        GEMINI,
        # What is around messages: the surest sign first.
        COMPLETIONS,
        GENERATIONS,
        REQUESTS,
        INDEXED,
        OPENINFERENCE,
        WRAPPERS,  # takes whatever has an input or an output
    )
)
