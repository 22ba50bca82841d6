-- assembly_elements: the messages of the wanted spans taken apart: what was said, tool calls, their answers; inputs first.
--
-- One element per part, in arrays. Kinds: 1 said by a user, 2 by an assistant, 3 a tool call, 4 a tool's answer, 0 none of them.
-- Keys are the same whoever tells the element: the text without space around it; name and arguments of a call; the id that an
-- answer names. Ids and NameKeys are hashes (0 = none) of call ids, and of the names of tools and speakers. Positions and Messages
-- number parts and messages from 1, those of the output from 2^19 + 1: outputs can be found without reading inputs.
-- Numbers of inputs and outputs are put together, not their text: that would copy it.
CREATE OR REPLACE VIEW {{ table('assembly_elements') }} AS
WITH
    'Array(Tuple(role LowCardinality(String), name String, parts Array(Tuple(type LowCardinality(String), content String, id String, name String, arguments String))))' AS schema,
    JSONExtract(ifNull(InputMessages, ''), schema) AS input,
    JSONExtract(ifNull(OutputMessages, ''), schema) AS output,
    arrayFlatten(input.parts) AS told,
    arrayFlatten(output.parts) AS answered,
    (messages -> arrayMap(x -> length(x), messages.parts.type)) AS widths_of,
    ((messages, each) -> arrayFlatten(arrayMap((w, x) -> arrayWithConstant(w, x), widths_of(messages), each))) AS spread,
    (messages -> spread(messages, arrayMap(
        r -> multiIf(r IN ('assistant', 'model', 'ai'), 2, r IN ('system', 'developer', 'tool', 'function'), 0, 1)::UInt8, messages.role)))
        AS speakers_of,
    (messages -> spread(messages, arrayMap(n -> if(n = '', 0, cityHash64(n)), messages.name))) AS names_of,
    ((parts, speakers) -> arrayMap(
        (type, speaker, content) -> multiIf(
            type = 'tool_call', 3, type = 'tool_call_response', 4, type = 'reasoning', 0, type = 'text' AND trim(content) = '', 0,
            speaker)::UInt8,
        parts.type, speakers, parts.content)) AS kinds_of,
    (parts -> arrayMap(
        (type, content, id, name, arguments) -> if(type = 'tool_call_response', cityHash64('answer', id), cityHash64(
            if(type = 'tool_call', name, ''), arguments, if(type = 'text', trim(content), type::String))),
        parts.type, parts.content, parts.id, parts.name, parts.arguments)) AS keys_of,
    (parts -> arrayMap(id -> if(id = '', 0, cityHash64(id)), parts.id)) AS ids_of,
    ((parts, speakers) -> arrayMap((name, speaker) -> if(name != '', cityHash64(name), speaker), parts.name, speakers)) AS name_keys_of
SELECT
    TraceId, SpanKey, Canonical,
    cityHash64(ifNull(SystemInstructions, '')) AS System,
    length(told)::UInt32 AS Inputs,
    arrayMap(i -> if(i > Inputs, 524288 + i - Inputs, i)::UInt32, arrayEnumerate(Kinds)) AS Positions,
    arrayConcat(kinds_of(told, speakers_of(input)), kinds_of(answered, speakers_of(output))) AS Kinds,
    arrayConcat(keys_of(told), keys_of(answered)) AS Keys,
    arrayConcat(ids_of(told), ids_of(answered)) AS Ids,
    arrayConcat(name_keys_of(told, names_of(input)), name_keys_of(answered, names_of(output))) AS NameKeys,
    arrayConcat(
        spread(input, arrayEnumerate(input)), spread(output, arrayMap(i -> 524288 + i, arrayEnumerate(output))))::Array(UInt32) AS Messages
FROM {{ table('assembly_content') }}
