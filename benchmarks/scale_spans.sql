-- Spans of made-up conversations into otel_traces.
-- Parameters: first, count UInt64, numbers of the conversations; later Bool, on the day after the stored ones; continued Bool, one
-- more turn of those that exist; first_day String; days UInt32; batch String.
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
    SpanAttributes, Duration, StatusCode, BatchId)
WITH
    ['order', 'invoice', 'delivery', 'refund', 'account', 'booking', 'subscription', 'voucher', 'warranty', 'appointment'] AS nouns,
    ['look_up', 'list_items', 'check_status', 'update', 'cancel', 'search', 'quote', 'verify', 'schedule', 'notify', 'estimate', 'reserve'] AS verbs,
    ['ada', 'bea', 'cal', 'dot'] AS agents,
    cityHash64(i, 'intent') % 40 AS intent,
    nouns[1 + intent % 10] AS noun,
    (j -> cityHash64(i, j, 'number') % 1000000) AS number_of,
    (j -> concat(verbs[1 + (intent + j) % 12], '_', noun)) AS tool_of,
    (j -> concat('call_', lower(hex(cityHash64(i, j, 'call'))))) AS call_of,
    (j -> concat('{"id":"', toString(number_of(j)), '","kind":"', noun, '"}')) AS arguments_of,
    (j -> cityHash64(i, j, 'fails') % 100 < if(intent % 8 = 3, 25, 3)) AS fails,
    (j -> if(fails(j), concat('Error: ', tool_of(j), ' timed out after 30 s'),
        concat('The ', noun, ' ', toString(number_of(j)), ' was found: state ', ['open', 'closed', 'sent', 'held'][1 + number_of(j) % 4],
            ', last changed on day ', toString(number_of(j) % 365), ' by clerk ', toString(number_of(j) % 977),
            '; nothing else is outstanding for this customer and no action is required.'))) AS result_of,
    (j -> if(j = 0 AND i % 20 = 9, 'Hello',
        concat('I have a question about my ', noun, ' with the number ', toString(number_of(j)),
            ['. Can you tell me where it is now?', '. It does not look right to me, please check.', '. That is not what I asked for!',
             '. Please change it as we agreed.'][1 + cityHash64(i, j, 'mood') % 4]))) AS asked,
    (j -> if(fails(j), 'I am sorry, I cannot reach our system at the moment. Please try again later.',
        concat('Thank you for waiting. Your ', noun, ' with the number ', toString(number_of(j)),
            ' is in our system and I have checked it for you. Is there anything else that I can do?'))) AS answered,
    (j -> concat('{"role":"user","parts":[{"type":"text","content":"', asked(j), '"}]}')) AS user_message,
    (j -> concat('{"role":"assistant","parts":[{"type":"tool_call","id":"', call_of(j), '","name":"', tool_of(j),
        '","arguments":', arguments_of(j), '}]}')) AS call_message,
    (j -> concat('{"role":"tool","parts":[{"type":"tool_call_response","id":"', call_of(j), '","response":"', result_of(j), '"}]}')) AS result_message,
    (j -> concat('{"role":"assistant","parts":[{"type":"text","content":"', answered(j), '"}]}')) AS answer_message,
    arrayStringConcat(arrayMap(
        j -> concat(user_message(j), ',', call_message(j), ',', result_message(j), ',', answer_message(j), ','),
        if(slot IN (1, 3), range(t), []))) AS history,
    lower(hex(cityHash64(i, toUInt64(if(kind = 'trace', 0, t)), 'agent'))) AS agent_span,
    map(
        'gen_ai.operation.name', ['invoke_agent', 'chat', 'execute_tool', 'chat'][slot + 1],
        'gen_ai.agent.name', if(kind = 'history', '', agents[1 + cityHash64(i, 'agent') % 4]),
        'gen_ai.conversation.id', if(kind = 'conversation', concat('conversation-', toString(i)), ''),
        'user.id', if(slot = 0, concat('user-', toString(cityHash64(i, 'user') % 100000)), ''),
        'spanloop.release.id', if(slot = 0, concat('release-', toString(cityHash64(i, 'release') % 3)), ''),
        'gen_ai.provider.name', if(slot IN (1, 3), 'openai', ''),
        'gen_ai.request.model', if(slot IN (1, 3), 'gpt-4o', ''),
        'gen_ai.response.finish_reasons', multiIf(slot = 1, '["tool_calls"]', slot = 3, '["stop"]', ''),
        'gen_ai.usage.input_tokens', if(slot IN (1, 3), toString(200 + 120 * t), ''),
        'gen_ai.usage.output_tokens', if(slot IN (1, 3), '40', ''),
        'gen_ai.system_instructions', if(slot IN (1, 3),
            concat('[{"type":"text","content":"You help customers with their ', noun, '. Look things up before you answer, and be brief."}]'), ''),
        'gen_ai.input.messages', multiIf(
            slot = 1, concat('[', history, user_message(t), ']'),
            slot = 3, concat('[', history, user_message(t), ',', call_message(t), ',', result_message(t), ']'), ''),
        'gen_ai.output.messages', multiIf(slot = 1, concat('[', call_message(t), ']'), slot = 3, concat('[', answer_message(t), ']'), ''),
        'gen_ai.tool.name', if(slot = 2, tool_of(t), ''),
        'gen_ai.tool.call.id', if(slot = 2, call_of(t), ''),
        'gen_ai.tool.call.arguments', if(slot = 2, arguments_of(t), ''),
        'gen_ai.tool.call.result', if(slot = 2, result_of(t), '')) AS attributes
SELECT
    toDateTime64({first_day:String}, 9) + toIntervalSecond(if({later:Bool}, {days:UInt32} * 86400 + cityHash64(i, 'later') % 43200,
        cityHash64(i, 'start') % ({days:UInt32} * 86400)) + t * 60 + slot * 2) AS Timestamp,
    lower(hex(MD5(concat(toString(i), multiIf(kind = 'trace', '', kind = 'conversation', concat('/', toString(t)),
        concat('/', toString(t), '/', toString(slot))))))) AS TraceId,
    if(slot = 0 AND (kind != 'trace' OR t = 0), agent_span, lower(hex(cityHash64(i, t, slot, 'span')))) AS SpanId,
    multiIf(kind = 'history' OR (slot = 0 AND (kind != 'trace' OR t = 0)), '', agent_span) AS ParentSpanId,
    attributes['gen_ai.operation.name'] AS SpanName, if(slot IN (1, 3), 'Client', 'Internal'), 'support',
    map('service.name', 'support'), 'generated',
    mapFilter((k, v) -> v != '', attributes),
    1500000000, if(slot = 2 AND fails(t), 'Error', 'Unset'), {batch:String}
FROM (
    SELECT i, kind, arrayJoin(if({continued:Bool}, [turns], range(turns))) AS t,
        arrayJoin(if(kind = 'history', [1, 3], [0, 1, 2, 3])) AS slot
    FROM (
        SELECT number AS i,
            multiIf(i % 10 < 6, 'conversation', i % 10 < 8, 'trace', 'history') AS kind,
            toUInt32(1 + cityHash64(i, 'turns') % if(kind = 'history', 9, 4)) AS turns
        FROM numbers({first:UInt64}, {count:UInt64})
        WHERE NOT {continued:Bool} OR kind != 'trace'
    )
)
