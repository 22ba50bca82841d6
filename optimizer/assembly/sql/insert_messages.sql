-- The elements that the wanted spans tell. What a named agent said to another is an assistant's, whatever role it was given.
INSERT INTO {{ table('assembly_messages') }}
SELECT
    N, Stream, bitShiftLeft(Ordinal, 20) + Position AS Place, Position > 524288 AS Side,
    if(Kind = 1 AND Name != 0 AND (N, Name) IN (
        SELECT N, cityHash64(AgentName::String) FROM {{ table('assembly_spans') }} WHERE AgentName != ''), 2, Kind),
    Key, Occurrence, CallId, Name, Message
FROM (
    SELECT c.N, c.Ordinal, multiIf(c.Class = 'ending', 0, c.Agent != '', cityHash64(c.Agent::String), e.System) AS Stream, e.Positions, e.Kinds, e.Keys, e.Ids,
        e.NameKeys, e.Messages, arrayEnumerateUniq(e.Keys) AS Occurrences
    FROM {{ table('assembly_elements') }} AS e
    INNER JOIN {{ table('assembly_calls') }} AS c ON c.SpanKey = e.SpanKey
)
ARRAY JOIN Kinds AS Kind, Keys AS Key, Ids AS CallId, NameKeys AS Name, Messages AS Message, Occurrences AS Occurrence,
    Positions AS Position
WHERE Kind > 0
