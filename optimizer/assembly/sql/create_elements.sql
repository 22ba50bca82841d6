-- assembly_elements: the messages of the wanted spans taken apart: what was said, tool calls, their answers; inputs first.
--
-- An element is (Side, Kind, Key, CallId, Name, Message, Part). Side: 0 input, 1 output. Kind: 1 said by a user, 2 by an
-- assistant, 3 a tool call, 4 a tool's answer. Key is the same whoever tells the element: the text without white space around
-- it; name and arguments of a call without their punctuation; the id that an answer names. Message and Part count from 1.
CREATE OR REPLACE VIEW {{ table('assembly_elements') }} AS
WITH
    'Array(Tuple(role String, name String, parts Array(Tuple(type String, content String, id String, name String, arguments String))))' AS schema,
    JSONExtract(ifNull(InputMessages, ''), schema) AS input,
    JSONExtract(ifNull(OutputMessages, ''), schema) AS output,
    arrayConcat(
        arrayMap((m, i) -> tuple(0::UInt8, i, m.role, m.name, m.parts), input, arrayEnumerate(input)),
        arrayMap((m, i) -> tuple(1::UInt8, i, m.role, m.name, m.parts), output, arrayEnumerate(output))) AS messages
SELECT
    TraceId, SpanKey, Canonical, Truncated, sipHash64(ifNull(SystemInstructions, '')) AS System,
    InputMessages IS NOT NULL OR OutputMessages IS NOT NULL AS HasMessages,
    ifNull(InputMessages != '' AND NOT isValidJSON(InputMessages), false)
        OR ifNull(OutputMessages != '' AND NOT isValidJSON(OutputMessages), false) AS Unreadable,
    arrayFlatten(arrayMap(m -> arrayConcat(
        arrayMap(
            said -> tuple(
                m.1, if(m.3 IN ('assistant', 'model', 'ai') OR (m.1 = 1 AND m.3 = ''), 2, 1)::UInt8, sipHash64(said), '',
                m.4, m.2, 0::UInt32),
            arrayFilter(
                said -> said != '' AND m.3 NOT IN ('system', 'developer', 'tool', 'function'),
                [trim(BOTH ' \t\r\n' FROM arrayStringConcat(arrayMap(
                    p -> if(p.type = 'text', p.content, concat('[', p.type, ']')),
                    arrayFilter(p -> p.type NOT IN ('reasoning', 'tool_call', 'tool_call_response'), m.5)), '\n'))])),
        arrayMap(
            (p, i) -> tuple(
                m.1, if(p.type = 'tool_call', 3, 4)::UInt8,
                if(p.type = 'tool_call',
                   sipHash64(p.name, replaceRegexpAll(p.arguments, '\\\\u[0-9a-fA-F]{4}|[^0-9a-zA-Z]+', '')),
                   sipHash64('response', p.id)),
                p.id, p.name, m.2, i),
            arrayFilter(p -> p.type IN ('tool_call', 'tool_call_response'), m.5),
            arrayFilter((i, p) -> p.type IN ('tool_call', 'tool_call_response'), arrayEnumerate(m.5), m.5))
    ), messages))::Array(Tuple(Side UInt8, Kind UInt8, Key UInt64, CallId String, Name String, Message UInt32, Part UInt32)) AS Elements
FROM {{ table('assembly_content') }}
