"""The rule table: every dialect, in the order in which they are asked.

The canonical names come first, so that a canonical key that is present wins over any other (section 3:
the same answer for a raw dialect, behind the Collector's ``gen_ai_normalizer``, and for a dual-written span).
"""

from spanloop.processor.dialects.google_adk import GOOGLE_ADK
from spanloop.processor.dialects.langfuse import LANGFUSE
from spanloop.processor.dialects.langsmith import LANGSMITH
from spanloop.processor.dialects.litellm import LITELLM
from spanloop.processor.dialects.openinference import OPENINFERENCE
from spanloop.processor.dialects.openlit import OPENLIT
from spanloop.processor.dialects.openllmetry import OPENLLMETRY
from spanloop.processor.dialects.otel import OTEL
from spanloop.processor.dialects.others import (
    AGENT_FRAMEWORK,
    CLAUDE_CODE,
    GENKIT,
    LAMINAR,
    LIVEKIT,
    MLFLOW,
    OPENROUTER,
    SEMANTIC_KERNEL,
)
from spanloop.processor.dialects.pydantic_ai import LOGFIRE, PYDANTIC_AI
from spanloop.processor.dialects.strands import STRANDS
from spanloop.processor.dialects.vercel import VERCEL

__all__ = ["CLASS_KEYS_FIRST", "DIALECTS"]

DIALECTS = (
    OTEL,
    OPENINFERENCE,
    OPENLLMETRY,
    VERCEL,
    PYDANTIC_AI,
    LOGFIRE,
    STRANDS,
    GOOGLE_ADK,
    LITELLM,
    LANGFUSE,
    LANGSMITH,
    OPENLIT,
    MLFLOW,
    GENKIT,
    LIVEKIT,
    SEMANTIC_KERNEL,
    AGENT_FRAMEWORK,
    CLAUDE_CODE,
    LAMINAR,
    OPENROUTER,
)

CLASS_KEYS_FIRST = ("langsmith.span.kind",)
"""Class-bearing keys that are believed before ``gen_ai.operation.name``."""
