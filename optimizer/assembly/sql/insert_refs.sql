-- One row per span; messages and parts in order.
INSERT INTO {{ table('assembly_refs') }}
SELECT c.SpanKey, c.TraceId, c.N, r.Input, r.IsHead, r.Said.1, r.Said.2, r.Parts.1, r.Parts.2, r.Parts.3
FROM (
    SELECT
        Call,
        max(Head OR (What > 0 AND bitAnd(Place, 1048575) <= 524288)) AS Input,
        max(Head) AS IsHead,
        arraySort(groupArrayIf((Message, Step), What = 1)) AS Said,
        arraySort(groupArrayIf((toUInt32(bitAnd(Place, 1048575)), Step, What = 3), What > 1)) AS Parts
    FROM (
        SELECT bitShiftRight(Place, 20) AS Call, Place, Message, Step, if(Kind = 'tool', 2, 1) AS What, false AS Head
        FROM {{ table('assembly_numbered') }} WHERE Message > 0
        UNION ALL
        SELECT bitShiftRight(Response, 20), Response, 0, Step, 3, false FROM {{ table('assembly_numbered') }} WHERE Response > 0
        UNION ALL
        SELECT Ordinal, 0, 0, 0, 0, true FROM {{ table('assembly_heads') }}
    )
    GROUP BY Call
) AS r
INNER JOIN {{ table('assembly_calls') }} AS c ON c.Ordinal = r.Call
