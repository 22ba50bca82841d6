-- Where each arrived trace belongs: by the run it is part of (an experiment never reaches into a conversation of production),
-- by the conversation it names, by the history it continues, else to itself.
INSERT INTO {{ table('assembly_mapping') }}
SELECT
    t.TraceId, t.Project,
    multiIf(
        t.RunId != '', lower(hex(sipHash128('run', t.Project, t.RunId))),
        t.ConversationId != '', lower(hex(sipHash128('conversation', t.Project, t.ConversationId))),
        l.Target != '', l.Target,
        t.OldBasis = 'history', t.OldTrajectoryId,
        t.TraceId) AS TrajectoryId,
    multiIf(
        t.RunId != '', 'run', t.ConversationId != '', 'conversation', l.Target != '' OR t.OldBasis = 'history', 'history', 'trace') AS Basis,
    t.ConversationId, h.HistoryKey, t.Start, t.End, t.Spans, t.OldTrajectoryId
FROM {{ table('assembly_traces') }} AS t
LEFT JOIN {{ table('assembly_links') }} AS l ON l.TraceId = t.TraceId
LEFT JOIN {{ table('assembly_histories') }} AS h ON h.TraceId = t.TraceId
