-- Feedback on some of these conversations into otel_logs. Parameters: as in scale_spans.sql, without continued.
INSERT INTO otel_logs (Timestamp, TraceId, ServiceName, ScopeName, EventName, LogAttributes, BatchId)
WITH cityHash64(i, 'turns') % 4 AS last, cityHash64(i, 'intent') % 40 AS intent
SELECT
    toDateTime64({first_day:String}, 9) + toIntervalSecond(if({later:Bool}, {days:UInt32} * 86400, cityHash64(i, 'start') % ({days:UInt32} * 86400)) + 600),
    lower(hex(MD5(concat(toString(i), '/', toString(last))))), 'support', 'generated', 'gen_ai.evaluation.result',
    map('gen_ai.evaluation.name', 'user_feedback',
        'gen_ai.evaluation.score.value', toString(toUInt8(cityHash64(i, 'content') % 100 >= if(intent % 8 = 3, 55, 25)))), {batch:String}
FROM (SELECT number AS i FROM numbers({first:UInt64}, {count:UInt64}) WHERE i % 10 < 6 AND cityHash64(i, 'rates') % 50 = 0)
