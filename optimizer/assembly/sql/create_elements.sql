-- assembly_elements: the messages of the wanted spans taken apart: what was said, tool calls, their answers; inputs first.
--
-- One element per part, in arrays. Kinds: 1 said by a user, 2 by an assistant, 3 a tool call, 4 a tool's answer, 0 none of them.
-- Keys are the same whoever tells the element: the text without space around it; name and arguments of a call; the id that an
-- answer names. Ids and NameKeys are hashes (0 = none) of call ids, and of the names of tools and speakers. Positions and Messages
-- number parts and messages from 1, those of the output from 2^19 + 1: outputs can be found without reading inputs.
CREATE OR REPLACE VIEW {{ table('assembly_elements') }} AS
WITH
    'Array(Tuple(role LowCardinality(String), name String, parts Array(Tuple(type LowCardinality(String), content String, id String, name String, arguments String))))' AS schema,
    JSONExtract(ifNull(InputMessages, ''), schema) AS input,
    JSONExtract(ifNull(OutputMessages, ''), schema) AS output,
    arrayConcat(input.parts, output.parts) AS parts,
    arrayConcat(input.name, output.name) AS names,
    arrayMap(x -> length(x), parts.type) AS widths,
    arrayConcat(arrayEnumerate(input), arrayMap(i -> 524288 + i, arrayEnumerate(output)))::Array(UInt32) AS numbers,
    arrayFlatten(parts) AS flat,
    arrayMap(r -> multiIf(r IN ('assistant', 'model', 'ai'), 2, r IN ('system', 'developer', 'tool', 'function'), 0, 1)::UInt8,
        arrayConcat(input.role, output.role)) AS speakers,
    arrayFlatten(arrayMap((w, s) -> arrayWithConstant(w, s), widths, speakers)) AS speaker
SELECT
    TraceId, SpanKey, Canonical,
    cityHash64(ifNull(SystemInstructions, '')) AS System,
    arraySum(arrayMap(x -> length(x), input.parts.type))::UInt32 AS Inputs,
    arrayMap(i -> if(i > Inputs, 524288 + i - Inputs, i)::UInt32, arrayEnumerate(Kinds)) AS Positions,
    arrayMap(
        (type, speaker, content) -> multiIf(
            type = 'tool_call', 3, type = 'tool_call_response', 4, type = 'reasoning', 0, type = 'text' AND trim(content) = '', 0,
            speaker)::UInt8,
        flat.type, speaker, flat.content) AS Kinds,
    arrayMap(
        (type, content, id, name, arguments) -> if(type = 'tool_call_response', cityHash64('answer', id), cityHash64(
            if(type = 'tool_call', name, ''), arguments, if(type = 'text', trim(content), type::String))),
        flat.type, flat.content, flat.id, flat.name, flat.arguments) AS Keys,
    arrayMap(id -> if(id = '', 0, cityHash64(id)), flat.id) AS Ids,
    arrayMap(
        (name, speakerName) -> multiIf(name != '', cityHash64(name), speakerName),
        flat.name, arrayFlatten(arrayMap((w, n) -> arrayWithConstant(w, n), widths, arrayMap(n -> if(n = '', 0, cityHash64(n)), names)))) AS NameKeys,
    arrayFlatten(arrayMap((w, i) -> arrayWithConstant(w, i), widths, numbers)) AS Messages
FROM {{ table('assembly_content') }}
