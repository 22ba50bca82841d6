-- Text of spans that ran a step: arguments and result of a tool, query and documents of a retrieval, why a call failed.
INSERT INTO {{ table('assembly_bodies') }}
SELECT
    s.N, s.Step, if(w.Canonical, 1, 2),
    multiIf(s.Kind = 'retrieval', w.RetrievalQuery, s.Kind = 'failure', nullIf(w.StatusMessage, ''), NULL), NULL,
    if(s.Kind = 'tool', w.ToolArguments, NULL), if(s.Kind = 'retrieval', w.RetrievalDocuments, w.ToolResult), '', ''
FROM {{ table('assembly_content') }} AS w
INNER JOIN (SELECT N, Step, Kind, ToolKey FROM {{ table('assembly_numbered') }} WHERE ToolKey > 0) AS s ON s.ToolKey = w.SpanKey
