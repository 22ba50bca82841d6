-- Those whose input has no answer: a message that nobody answered, say. (Of agents without calls all is new anyway.)
INSERT INTO {{ table('assembly_alone') }}
SELECT Ordinal FROM {{ table('assembly_calls') }}
WHERE Class = 'agent' AND Ordinal NOT IN (
    SELECT bitShiftRight(Place, 20) FROM {{ table('assembly_messages') }} WHERE Side = 0 AND Kind IN (2, 3))
