-- What users and assistants said: one item a message, at the first part of it that is new.
INSERT INTO {{ table('assembly_items') }}
SELECT N, min(Place), if(any(Kind) = 1, 'user', 'assistant'), any(Kind) = 2 AND any(Side) = 0 AND any(Name) != 0, Message, 0, 0
FROM {{ table('assembly_told') }}
WHERE Kind IN (1, 2) AND NOT (Side = 0 AND Kind = 1 AND (N, Key) IN (SELECT N, Key FROM {{ table('assembly_echoes') }}))
GROUP BY N, bitShiftRight(Place, 20) AS Call, Message
