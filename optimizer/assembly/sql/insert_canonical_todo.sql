-- Spans of the arrived traces whose content is not in canonical form and not rewritten yet, into canonical_todo.
--
-- The form is judged by how the text begins (spanloop.processor.messages judges the rest): a message that names a speaker
-- of the conversation and has parts; no legacy "result", no arguments encoded as text.
-- Parameters: chunk_bytes UInt64, content of one chunk.
{%- set arrived -%}
    TraceId IN (SELECT TraceId FROM {{ table('assembly_arrivals') }})
    AND Timestamp >= (SELECT toDateTime64(min(FirstDay), 3) - INTERVAL 1 DAY FROM {{ table('assembly_arrivals') }})
    AND Timestamp < (SELECT toDateTime64(max(LastDay), 3) + INTERVAL 2 DAY FROM {{ table('assembly_arrivals') }})
{%- endset -%}
{%- macro foreign(column) -%}
    (NOT match({{ column }}, '^\\[(\\]|\\{"role": ?"(user|assistant|tool)", ?"(name": ?"[^"]*", ?")?parts": ?\\[)')
        OR multiSearchAny({{ column }}, ['"result":', '"arguments":"', '"arguments": "']))
{%- endmacro %}
INSERT INTO {{ table('canonical_todo') }}
SELECT
    spans.TraceId, spans.SpanId, spans.Timestamp, spans.Logged,
    intDiv(sum(spans.Bytes + logged.Bytes) OVER running, {chunk_bytes:UInt64}) AS Chunk
FROM (
    SELECT
        TraceId,
        SpanId,
        Timestamp,
        (TraceId, SpanId) IN (SELECT TraceId, SpanId FROM {{ table('canonical_logged') }}) AS Logged,
        1000 + ifNull(length(InputMessages), 0) + ifNull(length(OutputMessages), 0) + ifNull(length(Input), 0)
            + ifNull(length(Output), 0) + ifNull(length(EventMessages), 0) AS Bytes
    FROM {{ table('genai_spans') }}
    WHERE {{ arrived }}
        AND (Logged OR multiIf(
            Class = 'tool',
                (notEmpty(ifNull(ToolArguments, '')) AND NOT match(ifNull(ToolArguments, ''), '^\\{("|\\})'))
                OR match(ifNull(ToolArguments, ''), '^\\{"(input_str|args|kwargs|method|jsonrpc|params|name)"')
                OR match(ifNull(ToolResult, ''),
                    '^(content=|"|[\\[{]''|\\[\\{"(text|type)"|\\{"(lc|output|content|id|type|data|_meta|isError)")')
                OR (ToolCallId = ''
                    AND (position(ifNull(Output, ''), '"tool_call_id"') > 0 OR position(ifNull(Input, ''), '"tool_call_id"') > 0)),
            Class IN ('llm', 'agent', 'workflow') OR (Class IN ('step', 'other') AND ParentSpanId = ''),
                {{ foreign('InputMessages') }}
                OR {{ foreign('OutputMessages') }}
                OR NOT match(SystemInstructions, '^\\[(\\]|\\{"type": ?"text")')
                OR (isNull(InputMessages) AND (isNotNull(EventMessages) OR isNotNull(Input)))
                OR (isNull(OutputMessages) AND (isNotNull(EventMessages) OR isNotNull(Output))),
            false))
        AND (Logged OR (TraceId, SpanId) NOT IN (SELECT TraceId, SpanId FROM {{ table('canonical_messages') }} WHERE {{ arrived }}))
) AS spans
ANY LEFT JOIN {{ table('canonical_logged') }} AS logged ON logged.TraceId = spans.TraceId AND logged.SpanId = spans.SpanId
WINDOW running AS (ORDER BY toDate(spans.Timestamp), spans.TraceId, spans.Timestamp ROWS UNBOUNDED PRECEDING)
SETTINGS max_bytes_before_external_sort = 500000000
