-- One row per arrived trace in which anybody acts: the set-up of an agent alone, or embeddings alone, are no trajectory.
-- A duration is taken for a week at most: a span that claims centuries must not move its trajectory out of time.
INSERT INTO {{ table('assembly_traces') }}
SELECT told.TraceId, told.Project, told.ConversationId, told.RunId, told.Start, told.End, told.Spans, old.TrajectoryId, old.Basis
FROM (
    SELECT
        TraceId, any(Project) AS Project,
        argMinIf(ConversationId, (ParentSpanId != '', Timestamp, SpanId), ConversationId != '') AS ConversationId,
        argMinIf(RunId, (ParentSpanId != '', Timestamp, SpanId), RunId != '') AS RunId,
        min(Timestamp) AS Start, max(addNanoseconds(Timestamp, least(Duration, 604800000000000))) AS End, count() AS Spans
    FROM {{ table('genai_spans') }}
    WHERE toDate(Timestamp) IN (SELECT Day FROM {{ table('assembly_days') }})
        AND TraceId IN (SELECT TraceId FROM {{ table('assembly_arrivals') }})
    GROUP BY TraceId
    HAVING countIf(Class IN ('llm', 'agent', 'workflow', 'tool', 'retrieval')) > 0
) AS told
LEFT JOIN (
    SELECT TraceId, TrajectoryId, Basis FROM {{ table('trajectory_traces') }} FINAL
    WHERE TraceId IN (SELECT TraceId FROM {{ table('assembly_arrivals') }})
) AS old ON old.TraceId = told.TraceId
