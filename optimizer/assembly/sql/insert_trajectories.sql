-- The trajectories at hand (completeness: docs/trajectories.md).
-- Parameters: {first:UInt32}, {last:UInt32}, {version:UInt64} (milliseconds since 1970), {idle_s:UInt64}.
INSERT INTO {{ table('trajectories') }}
WITH
    empty(steps.Kinds) OR steps.Kinds[-1] NOT IN ('assistant', 'failure') AS Unfinished,
    arrayCount(kind -> kind IN ('tool', 'handoff'), steps.Kinds) AS ToolCalls,
    if(spans.ModelCalls = 0, 1, 1 - (0.8 * spans.Silent + 0.2 * spans.Unanswered) / spans.ModelCalls)
        * if(ToolCalls = 0, 1, 1 - 0.3 * steps.WithoutResult / ToolCalls)
        * if(spans.Orphans > 0, 0.8, 1) * if(spans.Truncated > 0, 0.8, 1) * if(Unfinished, 0.9, 1)
        * if(traces.Basis = 'history', 0.95, 1) AS Score
SELECT
    traces.TrajectoryId, traces.Project, traces.Basis, traces.ConversationId, traces.TraceIds, spans.UserId, spans.ServiceName,
    spans.AgentName, spans.AgentId, spans.AgentVersion, spans.Release, spans.RunId, spans.Models, spans.Dialects, spans.Start, spans.End,
    if(spans.RunId != '' OR toUnixTimestamp64Milli(spans.End) + {idle_s:UInt64} * 1000 <= {version:UInt64}, 'closed', 'open'),
    heads.System, openings.Opening,
    arrayDistinct(arrayFilter(name -> name != '', arrayMap(
        d -> if(d.name != '', d.name, d.function.name),
        JSONExtract(ifNull(heads.Tools, ''), 'Array(Tuple(name String, function Tuple(name String)))')))),
    steps.Kinds, steps.Names, steps.Statuses,
    countEqual(steps.Kinds, 'user'), spans.ModelCalls, ToolCalls, countEqual(steps.Statuses, 'error'),
    spans.InputTokens, spans.OutputTokens, spans.CostUsd,
    if(empty(steps.Kinds), 0, Score),
    arrayFilter(issue -> issue != '', [
        if(spans.Orphans > 0, 'missing_parent', ''),
        if(spans.Silent + spans.Unanswered > 0 OR empty(steps.Kinds), 'missing_content', ''),
        if(steps.WithoutResult > 0, 'missing_result', ''),
        if(spans.Truncated > 0, 'truncated', ''),
        if(Unfinished, 'unfinished', ''),
        if(traces.Basis = 'history', 'inferred', ''),
        if(spans.ConversationIds > 1, 'conflicting_ids', '')]),
    {version:UInt64}, 0
FROM (
    SELECT
        N, any(TrajectoryId) AS TrajectoryId, any(Project) AS Project,
        if(countIf(Basis = 'history') > 0, 'history', any(Basis)::String) AS Basis, max(ConversationId) AS ConversationId,
        arraySort(groupArray((Start, TraceId))).2 AS TraceIds
    FROM {{ table('assembly_members') }}
    WHERE N BETWEEN {first:UInt32} AND {last:UInt32}
    GROUP BY N
) AS traces
INNER JOIN {{ table('assembly_span_totals') }} AS spans ON spans.N = traces.N
LEFT JOIN {{ table('assembly_step_totals') }} AS steps ON steps.N = traces.N
LEFT JOIN (
    SELECT N, any(Text) AS System, any(Arguments) AS Tools FROM {{ table('assembly_bodies') }} WHERE Step = 0 GROUP BY N
) AS heads ON heads.N = traces.N
LEFT JOIN (
    SELECT N, any(Text) AS Opening FROM {{ table('assembly_bodies') }}
    WHERE Step > 0 AND (N, Step) IN (SELECT N, FirstUserStep FROM {{ table('assembly_step_totals') }})
    GROUP BY N
) AS openings ON openings.N = traces.N
