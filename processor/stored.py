"""The columns of ``genai_spans`` as the view writes them (exporter/sql/migrations/0100_genai_spans.sql)."""

from collections.abc import Sequence

from spanloop.processor.carriers import carried, place
from spanloop.processor.dialects import DIALECTS
from spanloop.processor.kinds import dialect_name
from spanloop.processor.rules import CLASSES
from spanloop.processor.sqltext import array, quote, strings
from spanloop.processor.usage import SUBSETS

PROCESSOR_VERSION = 1
"""Stored in every row, so that rows of an older rule table can be found and derived again."""

_AS_THEY_ARE = (
    "BatchId",
    "Project",
    "Timestamp",
    "TraceId",
    "SpanId",
    "ParentSpanId",
    "ServiceName",
    "SpanName",
    "SpanKind",
    "ScopeName",
    "Duration",
)

_CARRIED = (
    "Operation",
    "AgentName",
    "AgentId",
    "AgentVersion",
    "ConversationId",
    "UserId",
    "Release",
    "RunId",
    "FinishReasons",
    "StopSequences",
    "Temperature",
    "TopP",
    "TopK",
    "MaxTokens",
    "FrequencyPenalty",
    "PresencePenalty",
    "ChoiceCount",
    "TimeToFirstChunk",
    "OutputType",
    "ResponseId",
    "PromptName",
    "PromptVersion",
    "SystemInstructions",
    "InputMessages",
    "OutputMessages",
    "ToolDefinitions",
    "RetrievalQuery",
    "RetrievalDocuments",
    "Input",
    "Output",
    "ToolArguments",
    "ToolResult",
    "ToolName",
    "ToolCallId",
    "ToolType",
    "AggregateInputTokens",
    "AggregateOutputTokens",
)

_EVENTS = "arrayMap((n, a) -> (n, a), Events.Name, Events.Attributes)"
_EVENT_TYPE = "Array(Tuple(name String, attributes Map(LowCardinality(String), String)))"


def stored_columns() -> Sequence[str]:
    """Return the list of the outermost SELECT."""
    return [
        *_AS_THEY_ARE,
        f"{array(CLASSES)}[cls] AS Class",
        f"{dialect_name()} AS Dialect",
        f"toUInt16({PROCESSOR_VERSION}) AS ProcessorVersion",
        "provider AS Provider",
        *(f"{carried(column)} AS {column}" for column in _CARRIED),
        f"ks[{place('ConversationId')}] AS ConversationSource",
        *(f"raw_{column} AS {column}" for column in ("RequestModel", "ResponseModel", *SUBSETS)),
        "input_total AS InputTokens",
        "output_total AS OutputTokens",
        "coalesce(reported, computed) AS CostUsd",
        "multiIf(isNotNull(reported), 'reported', isNotNull(computed), 'computed', '') AS CostSource",
        f"{carried('AggregateCost')} AS AggregateCostUsd",
        f"accurateCastOrNull({carried('Seed')}, 'Int64') AS Seed",
        f"if({carried('Level')} = 'ERROR', 'Error', StatusCode) AS Status",
        f"if(empty(StatusMessage), {carried('StatusText')}, StatusMessage) AS StatusMessage",
        f"{carried('ErrorType')} AS ErrorType",
        f"if(has_messages, {_messages()}, NULL) AS EventMessages",
    ]


def _messages() -> str:
    names = strings(dict.fromkeys(name for dialect in DIALECTS for name in dialect.message_events))
    return (
        f"toJSONString(CAST(arrayFilter(e -> e.1 IN ({names}), {_EVENTS}), {quote(_EVENT_TYPE)}))"
    )
