-- assembly_content: content of the wanted spans. A span rewritten to canonical form has two rows: what canonical_messages
-- holds, and its own row without messages; others have one.
CREATE OR REPLACE VIEW {{ table('assembly_content') }} AS
SELECT TraceId, cityHash64(TraceId, SpanId) AS SpanKey, true AS Canonical, Truncated,
    SystemInstructions, InputMessages, OutputMessages, ToolArguments, ToolResult,
    CAST(NULL, 'Nullable(String)') AS RetrievalQuery, CAST(NULL, 'Nullable(String)') AS RetrievalDocuments,
    CAST(NULL, 'Nullable(String)') AS ToolDefinitions, '' AS StatusMessage
FROM {{ table('canonical_messages') }} FINAL
WHERE TraceId IN (SELECT TraceId FROM {{ table('assembly_wanted') }})
    AND cityHash64(TraceId, SpanId) IN (SELECT SpanKey FROM {{ table('assembly_wanted') }})
UNION ALL
SELECT TraceId, cityHash64(TraceId, SpanId) AS SpanKey, false AS Canonical, false AS Truncated,
    if(Rewritten, NULL, SystemInstructions) AS SystemInstructions, if(Rewritten, NULL, InputMessages) AS InputMessages,
    if(Rewritten, NULL, OutputMessages) AS OutputMessages, ToolArguments, ToolResult, RetrievalQuery, RetrievalDocuments,
    ToolDefinitions, StatusMessage
FROM (
    SELECT *, (TraceId, SpanId) IN (
        SELECT TraceId, SpanId FROM {{ table('canonical_messages') }}
        WHERE TraceId IN (SELECT TraceId FROM {{ table('assembly_wanted') }})
    ) AS Rewritten
    FROM {{ table('genai_spans') }}
    WHERE toDate(Timestamp) IN (SELECT Day FROM {{ table('assembly_days') }})
        AND TraceId IN (SELECT TraceId FROM {{ table('assembly_wanted') }})
        AND cityHash64(TraceId, SpanId) IN (SELECT SpanKey FROM {{ table('assembly_wanted') }})
    LIMIT 1 BY TraceId, SpanId
)
