-- What is new: every output; of inputs, the first telling of the n-th occurrence of a key in the trajectory. Occurrences count
-- within the call where calls carry the history, and over the agent's calls where they carry only what is new; so both, and an
-- agent that hears what another said, come to the same number.
INSERT INTO {{ table('assembly_told') }}
SELECT N, Place, Side, Kind, Key, CallId, Name, Message
FROM {{ table('assembly_messages') }}
WHERE Stream != 0 AND (Side = 1 OR Place IN (
    SELECT min(Place)
    FROM (
        SELECT N, Key, Place, if(bitShiftRight(Place, 20) IN (SELECT Ordinal FROM {{ table('assembly_alone') }}), Place, toUInt64(Occurrence)) AS Nth
        FROM {{ table('assembly_messages') }}
        WHERE (N, Stream) IN (SELECT N, Stream FROM {{ table('assembly_streams') }})
        UNION ALL
        SELECT N, Key, Place, row_number() OVER (PARTITION BY N, Stream, Key ORDER BY Place) AS Nth
        FROM {{ table('assembly_messages') }}
        WHERE Stream != 0 AND (N, Stream) NOT IN (SELECT N, Stream FROM {{ table('assembly_streams') }})
    )
    GROUP BY N, Key, Nth))
