-- What users said last: an agent that tells the whole conversation may end with a message that no call answered, after the
-- answers that it gives as its own.
INSERT INTO {{ table('assembly_told') }}
SELECT m.N, m.Place, m.Side, m.Kind, m.Key, m.CallId, m.Name, m.Message
FROM {{ table('assembly_messages') }} AS m
INNER JOIN (
    SELECT
        bitShiftRight(Place, 20) AS Ordinal,
        maxIf(Place, Side = 0 AND Kind IN (2, 3)) AS LastAnswer,
        groupUniqArrayIf(Key, Side = 0) AS Heard, groupUniqArrayIf(Key, Side = 1) AS Said
    FROM {{ table('assembly_messages') }}
    WHERE Stream = 0
    GROUP BY Ordinal
    HAVING LastAnswer > 0 AND hasAll(Heard, Said)
) AS e ON e.Ordinal = bitShiftRight(m.Place, 20)
LEFT JOIN (SELECT N, Key, count() AS Tellings FROM {{ table('assembly_told') }} GROUP BY N, Key) AS t ON t.N = m.N AND t.Key = m.Key
WHERE m.Stream = 0 AND m.Side = 0 AND m.Kind = 1 AND m.Place > e.LastAnswer AND m.Occurrence > t.Tellings
