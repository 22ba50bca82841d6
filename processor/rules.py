"""The vocabulary of the rule table: what a dialect may say, and which columns it may fill.

A *dialect* is data: the scope names and attribute keys it is recognised by, and for each canonical
column the source keys that may carry it, best first. `spanloop.processor.tagging` compiles all dialects
into one SELECT; nothing here knows SQL. Every mapping cites the research note genai-telemetry.md, whose
section 2 lists the packages and versions that were read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

SpanClass = Literal[
    "llm",
    "embedding",
    "retrieval",
    "rerank",
    "tool",
    "agent",
    "workflow",
    "step",
    "memory",
    "guardrail",
    "evaluation",
    "other",
]
"""Our closed set beside the raw operation name: OTel has none for rerank, guardrail, step … (section 1.3)."""

CLASSES: tuple[SpanClass, ...] = get_args(SpanClass)

LEAF_CLASSES: tuple[SpanClass, ...] = ("llm", "embedding", "rerank")
"""Classes whose usage counts. Agents, workflows and steps repeat the sum of their children (section 6)."""

Kind = Literal["label", "text", "content", "uint", "float", "list"]
"""How a column is stored: a label is LowCardinality(String), text String, content Nullable(String)."""

PRESENCE_ORDER: tuple[SpanClass, ...] = (
    "evaluation",
    "tool",
    "agent",
    "workflow",
    "retrieval",
    "rerank",
    "embedding",
    "llm",
    "memory",
    "guardrail",
    "step",
    "other",
)
"""Which class wins when keys suggest several: a run of an agent also names its model and usage."""

COLUMNS: Mapping[str, Kind] = {
    "Operation": "label",
    "Provider": "label",
    "ProviderSystem": "label",
    "RequestModel": "label",
    "ResponseModel": "label",
    "AgentName": "label",
    "AgentId": "text",
    "AgentVersion": "label",
    "ToolName": "label",
    "ToolCallId": "text",
    "ToolType": "label",
    "ConversationId": "text",
    "UserId": "text",
    "Release": "label",
    "RunId": "text",
    "InputTokens": "uint",
    "OutputTokens": "uint",
    "CacheReadTokens": "uint",
    "CacheWriteTokens": "uint",
    "ReasoningTokens": "uint",
    "TotalTokens": "uint",
    "UncachedInputTokens": "uint",
    "AggregateInputTokens": "uint",
    "AggregateOutputTokens": "uint",
    "AggregateCost": "float",
    "CostDetails": "text",
    "ReportedCost": "float",
    "FinishReasons": "list",
    "StopSequences": "list",
    "ErrorType": "label",
    "StatusText": "text",
    "Level": "label",
    "Temperature": "float",
    "TopP": "float",
    "TopK": "uint",
    "MaxTokens": "uint",
    "FrequencyPenalty": "float",
    "PresencePenalty": "float",
    "Seed": "float",
    "ChoiceCount": "uint",
    "TimeToFirstChunk": "float",
    "OutputType": "label",
    "ResponseId": "text",
    "PromptName": "label",
    "PromptVersion": "label",
    "SystemInstructions": "content",
    "InputMessages": "content",
    "OutputMessages": "content",
    "ToolDefinitions": "content",
    "ToolArguments": "content",
    "ToolResult": "content",
    "RetrievalQuery": "content",
    "RetrievalDocuments": "content",
    "Input": "content",
    "Output": "content",
}
"""Columns that rules fill. ProviderSystem, TotalTokens, UncachedInputTokens, ReportedCost, CostDetails,
StatusText and Level are evidence for other columns and are not stored."""

BRANCH_CLASSES: tuple[SpanClass, ...] = tuple(c for c in CLASSES if c not in LEAF_CLASSES)

COLUMN_CLASSES: Mapping[str, tuple[SpanClass, ...]] = {
    # An LLM span may name the tool that its answer asks for; only a tool span is a call of it.
    **dict.fromkeys(
        ("ToolName", "ToolCallId", "ToolType", "ToolArguments", "ToolResult"), ("tool",)
    ),
    # Usage counts on model calls; elsewhere the same keys carry sums over children.
    **dict.fromkeys(
        ("InputTokens", "OutputTokens", "CacheReadTokens", "CacheWriteTokens", "ReasoningTokens"),
        LEAF_CLASSES,
    ),
    **dict.fromkeys(
        ("TotalTokens", "UncachedInputTokens", "ReportedCost", "CostDetails"), LEAF_CLASSES
    ),
}
"""Columns that only spans of some classes have."""

AGGREGATES: Mapping[str, str] = {
    "AggregateInputTokens": "InputTokens",
    "AggregateOutputTokens": "OutputTokens",
    "AggregateCost": "ReportedCost",
}
"""What branches report of their children, by the keys of the column on the right (and by keys of its own)."""

EMPTY_MEANS_EMPTY = frozenset({"ToolResult", "Output"})
"""Where '' is an answer (a tool that returned nothing), not an absence."""


@dataclass(frozen=True, slots=True)
class Source:
    """One place that may carry a column.

    ``path`` descends into the JSON text of the attribute. ``classes`` limits the source to spans of these
    classes (``input.value`` is a tool's arguments only on a tool span).
    """

    key: str
    path: tuple[str, ...] = ()
    classes: tuple[SpanClass, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSource:
    """A column carried by an attribute of a span event (section 1.5)."""

    event: str
    key: str
    column: str
    classes: tuple[SpanClass, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A wrapping around a tool's arguments or result: text that starts so carries the value at ``path``."""

    column: Literal["ToolArguments", "ToolResult"]
    keys: tuple[str, ...]
    starts: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one instrumentation family writes GenAI spans.

    Attributes:
        name: Stored in ``genai_spans.Dialect``.
        scopes: Instrumentation scopes whose every span is a GenAI span.
        scope_prefixes: The same, by prefix.
        named_by: Scope names that name the dialect of a span that its keys show to be GenAI.
        services: ``service.name`` values whose every span is a GenAI span.
        markers: What only GenAI spans have: heads of attribute keys (their first two dotted segments),
            or, with more segments, whole keys.
        columns: Canonical column → sources, best first.
        classes: Attribute key → its lower-case value → class, keys best first.
        presence: Attribute key → class that its mere presence suggests when no value decides.
        span_names: Span name, or its first word → class; weaker than an attribute's value.
        duplicates: Names of spans that repeat their parent's call; class ``other``, so never counted.
        indexed: Prefix of indexed flat keys (``gen_ai.prompt.``) → the column they make up.
        events: Columns carried by span events.
        message_events: Names of span events that are messages; kept together in ``EventMessages``.
        envelopes: Wrappings to take off.
        absent: Attribute key → values that mean "absent" on it.
    """

    name: str
    scopes: tuple[str, ...] = ()
    scope_prefixes: tuple[str, ...] = ()
    named_by: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str | Source, ...]] = field(
        default_factory=dict[str, tuple[str | Source, ...]]
    )
    classes: Mapping[str, Mapping[str, SpanClass]] = field(
        default_factory=dict[str, Mapping[str, SpanClass]]
    )
    presence: Mapping[str, SpanClass] = field(default_factory=dict[str, SpanClass])
    span_names: Mapping[str, SpanClass] = field(default_factory=dict[str, SpanClass])
    duplicates: tuple[str, ...] = ()
    indexed: Mapping[str, str] = field(default_factory=dict[str, str])
    events: tuple[EventSource, ...] = ()
    message_events: tuple[str, ...] = ()
    envelopes: tuple[Envelope, ...] = ()
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def only(classes: SpanClass | tuple[SpanClass, ...], key: str) -> Source:
    """Return ``key`` as a source on spans of ``classes`` only."""
    return Source(key, classes=(classes,) if isinstance(classes, str) else classes)


def inside(key: str, *path: str) -> Source:
    """Return what the JSON text of ``key`` holds at ``path``; with no path, a JSON-encoded string's text."""
    return Source(key, path=path or ("",))


def as_source(source: str | Source) -> Source:
    """Return a rule's source in its full form."""
    return Source(source) if isinstance(source, str) else source
