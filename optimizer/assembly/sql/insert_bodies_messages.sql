-- Text of messages: what was said, arguments of calls, answers; and of the heads. Inputs that tell nothing new are not parsed.
INSERT INTO {{ table('assembly_bodies') }}
WITH
    'Array(Tuple(role String, parts Array(Tuple(type String, content String, arguments Nullable(String), response Nullable(String), result Nullable(String)))))' AS schema,
    SpanKey IN (SELECT SpanKey FROM {{ table('assembly_heads') }}) AS Head,
    Head OR SpanKey IN (
        SELECT MessageKey FROM {{ table('assembly_steps') }} WHERE Side = 0 AND Message > 0
        UNION ALL SELECT ResponseKey FROM {{ table('assembly_steps') }} WHERE ResponseKey > 0) AS InputTold,
    JSONExtract(if(InputTold, ifNull(InputMessages, ''), ''), schema) AS input,
    JSONExtract(ifNull(OutputMessages, ''), schema) AS output,
    arrayConcat(
        arrayMap((m, i) -> tuple(0::UInt8, i, m.role, m.parts), input, arrayEnumerate(input)),
        arrayMap((m, i) -> tuple(1::UInt8, i, m.role, m.parts), output, arrayEnumerate(output))) AS messages,
    (parts -> arrayStringConcat(arrayMap(p -> if(p.type = 'text', p.content, concat('[', p.type, ']')),
        arrayFilter(p -> p.type NOT IN ('reasoning', 'tool_call', 'tool_call_response'), parts)), '\n')) AS said,
    arrayConcat(
        arrayFlatten(arrayMap(m -> arrayConcat(
            [tuple(m.1, m.2, 0::UInt32, said(m.4)::Nullable(String),
                nullIf(arrayStringConcat(arrayMap(p -> p.content, arrayFilter(p -> p.type = 'reasoning', m.4)), '\n'), ''))],
            arrayMap((p, i) -> tuple(m.1, m.2, i, if(p.type = 'tool_call', p.arguments, coalesce(p.response, p.result, p.content)), NULL),
                arrayFilter(p -> p.type IN ('tool_call', 'tool_call_response'), m.4),
                arrayFilter((i, p) -> p.type IN ('tool_call', 'tool_call_response'), arrayEnumerate(m.4), m.4))
        ), messages)),
        if(Head, [tuple(2::UInt8, 0::UInt32, 0::UInt32, nullIf(arrayStringConcat(arrayConcat(
            JSONExtract(ifNull(SystemInstructions, ''), 'Array(Tuple(content String))').content,
            arrayMap(m -> said(m.4), arrayFilter(m -> m.3 IN ('system', 'developer'), messages))), '\n\n'), ''), ToolDefinitions)], [])
    ) AS pieces
SELECT
    r.N, r.Step, if(r.What IN (0, 1), Piece.4, NULL), if(r.What = 1, Piece.5, NULL),
    multiIf(r.What = 0, Piece.5, r.What = 2, Piece.4, NULL), if(r.What = 3, Piece.4, NULL), if(r.What = 3, 3, 0)
FROM {{ table('assembly_content') }} AS w
ARRAY JOIN pieces AS Piece
INNER JOIN (
    SELECT N, Step, MessageKey AS SpanKey, Side, Message, Part, if(Part = 0, 1, 2) AS What
    FROM {{ table('assembly_steps') }} WHERE Message > 0
    UNION ALL
    SELECT N, Step, ResponseKey, 0, ResponseMessage, ResponsePart, 3 FROM {{ table('assembly_steps') }} WHERE ResponseKey > 0
    UNION ALL
    SELECT N, 0, SpanKey, 2, 0, 0, 0 FROM {{ table('assembly_heads') }}
) AS r ON r.SpanKey = w.SpanKey AND r.Side = Piece.1 AND r.Message = Piece.2 AND r.Part = Piece.3
