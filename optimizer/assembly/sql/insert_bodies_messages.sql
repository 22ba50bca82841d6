-- Text of messages: what was said, arguments of calls, answers; and of the heads. Inputs that tell nothing new are not parsed.
INSERT INTO {{ table('assembly_bodies') }}
WITH
    'Array(Tuple(role LowCardinality(String), name String, parts Array(Tuple(type LowCardinality(String), content String, id String, name String, arguments Nullable(String), response Nullable(String), result Nullable(String)))))' AS schema,
    JSONExtract(if(r.Inputs, ifNull(w.InputMessages, ''), ''), schema) AS input,
    JSONExtract(ifNull(w.OutputMessages, ''), schema) AS output,
    ((these, first, list) -> arrayFilter((x, i) -> has(list, toUInt32(first + i)), these, arrayEnumerate(these))) AS listed,
    arrayConcat(listed(input, 0, r.Said), listed(output, 524288, r.Said)) AS messages,
    arrayConcat(listed(arrayFlatten(input.parts), 0, r.Parts), listed(arrayFlatten(output.parts), 524288, r.Parts)) AS parts,
    w.InputMessages IS NOT NULL OR w.OutputMessages IS NOT NULL AS Here,
    (said_parts -> arrayStringConcat(arrayMap(p -> if(p.type = 'text', p.content, concat('[', p.type, ']')),
        arrayFilter(p -> p.type NOT IN ('reasoning', 'tool_call', 'tool_call_response'), said_parts)), '\n')) AS said
SELECT N, Piece.1, Piece.2, Piece.3, Piece.4, Piece.5, Piece.6, Piece.7, Piece.8
FROM (
    SELECT
        r.N AS N,
        arrayConcat(
            arrayMap(
                (m, step) -> tuple(step, 0, said(m.parts)::Nullable(String),
                    nullIf(arrayStringConcat(arrayMap(p -> p.content, arrayFilter(p -> p.type = 'reasoning', m.parts)), '\n'), ''),
                    NULL::Nullable(String), NULL::Nullable(String), m.name, ''),
                messages, if(Here, r.SaidSteps, [])),
            arrayMap(
                (p, step, answer) -> tuple(step, if(answer, 3, 0), NULL, NULL, if(answer, NULL, p.arguments),
                    if(answer, coalesce(p.response, p.result, p.content), NULL), if(answer, '', p.name), p.id),
                parts, if(Here, r.PartSteps, []), if(Here, r.Answers, [])),
            if(r.Head, [tuple(0, 0, nullIf(arrayStringConcat(arrayConcat(
                JSONExtract(ifNull(w.SystemInstructions, ''), 'Array(Tuple(content String))').content,
                arrayMap(m -> said(m.parts), arrayFilter(m -> m.role IN ('system', 'developer'), input))), '\n\n'), ''),
                NULL, w.ToolDefinitions, NULL, '', '')], [])) AS Pieces
    FROM {{ table('assembly_content') }} AS w
    INNER JOIN {{ table('assembly_refs') }} AS r ON r.SpanKey = w.SpanKey
)
ARRAY JOIN Pieces AS Piece
