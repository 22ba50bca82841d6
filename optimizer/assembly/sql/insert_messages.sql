-- The elements that the wanted spans tell. What a named agent said to another is an assistant's, whatever role it was given.
INSERT INTO {{ table('assembly_messages') }}
SELECT
    c.N, if(c.Agent != '', sipHash64(c.Agent), e.System) AS Stream, e.SpanKey, c.Start, Position, Element.Side,
    if(Element.Kind = 1 AND Element.Name != '' AND (c.N, Element.Name) IN (
        SELECT N, AgentName::String FROM {{ table('assembly_spans') }} WHERE AgentName != ''), 2, Element.Kind),
    Element.Key, Occurrence, Element.CallId, Element.Name, Element.Message, Element.Part
FROM {{ table('assembly_elements') }} AS e
INNER JOIN {{ table('assembly_calls') }} AS c ON c.SpanKey = e.SpanKey
ARRAY JOIN e.Elements AS Element, arrayEnumerate(e.Elements) AS Position, arrayEnumerateUniq(e.Elements.Key) AS Occurrence
