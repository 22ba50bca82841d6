-- An agent's calls carry the history when an answer of its own comes back in a later input; where no answers were recorded,
-- when any answer is in an input.
INSERT INTO {{ table('assembly_streams') }}
SELECT N, Stream
FROM (
    SELECT N, Stream, minIf(Place, Side = 1) AS Said, maxIf(Place, Side = 0) AS Repeated
    FROM {{ table('assembly_messages') }}
    WHERE Kind IN (2, 3) AND Stream != 0
    GROUP BY N, Stream, Key
)
GROUP BY N, Stream
HAVING max(Said > 0 AND Repeated > Said) OR (max(Said) = 0 AND max(Repeated) > 0)
