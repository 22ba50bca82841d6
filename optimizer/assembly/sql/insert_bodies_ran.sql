-- Text of spans that ran a step: arguments and result of a tool, query and documents of a retrieval, why a call failed.
INSERT INTO {{ table('assembly_bodies') }}
SELECT
    s.N, s.Step,
    multiIf(s.Kind = 'retrieval', w.RetrievalQuery, s.Kind = 'failure' AND NOT w.Canonical, nullIf(w.StatusMessage, ''), NULL), NULL,
    if(s.Kind = 'tool', w.ToolArguments, NULL), if(s.Kind = 'retrieval', w.RetrievalDocuments, w.ToolResult),
    if(w.Canonical, 1, 2)
FROM {{ table('assembly_content') }} AS w
INNER JOIN (SELECT N, Step, Kind, ToolKey FROM {{ table('assembly_steps') }} WHERE ToolKey > 0) AS s ON s.ToolKey = w.SpanKey
