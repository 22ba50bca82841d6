-- What is new: every output; of inputs, the first telling of the n-th occurrence of a key in the trajectory. Occurrences count
-- within the call where calls carry the history, and over the agent's calls where they carry only what is new; so both, and an
-- agent that hears what another said, come to the same number.
INSERT INTO {{ table('assembly_told') }}
WITH
    counted AS (
        SELECT N, Start, SpanKey, Position, Side, Kind, Key, toUInt64(Occurrence) AS Nth, CallId, Name, Message, Part
        FROM {{ table('assembly_messages') }}
        WHERE (N, Stream) IN (SELECT N, Stream FROM {{ table('assembly_streams') }})
        UNION ALL
        SELECT N, Start, SpanKey, Position, Side, Kind, Key,
            row_number() OVER (PARTITION BY N, Stream, Key ORDER BY Start, SpanKey, Position) AS Nth, CallId, Name, Message, Part
        FROM {{ table('assembly_messages') }}
        WHERE (N, Stream) NOT IN (SELECT N, Stream FROM {{ table('assembly_streams') }})
    )
SELECT N, First.1, First.2, First.3, First.4, First.5, Key, Nth, First.6, First.7, First.8, First.9
FROM (
    SELECT N, Key, Nth, argMin((Start, SpanKey, Position, Side, Kind, CallId, Name, Message, Part), (Start, SpanKey, Position)) AS First
    FROM counted
    GROUP BY N, Key, Nth
)
WHERE First.4 = 0
UNION ALL
SELECT N, Start, SpanKey, Position, Side, Kind, Key, Nth, CallId, Name, Message, Part FROM counted WHERE Side = 1
