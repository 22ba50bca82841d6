-- Made-up traces of many services into otel_traces: about 2 KB a span, a third of it hard to compress.
-- Parameters: first, traces UInt64, numbers of the traces; spans UInt32, spans a trace; services UInt32; day String, when they start.
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
    ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage, `Events.Timestamp`, `Events.Name`, `Events.Attributes`,
    `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, `Links.Attributes`, BatchId, ReceivedTime, Project, Flags)
WITH
    ['order', 'invoice', 'delivery', 'refund', 'account', 'booking', 'subscription', 'voucher', 'warranty', 'appointment',
     'customer', 'parcel', 'payment', 'address', 'contract', 'ticket', 'product', 'stock', 'price', 'message'] AS nouns,
    ['get', 'list', 'create', 'update', 'cancel', 'search', 'quote', 'verify', 'schedule', 'notify'] AS verbs,
    arrayMap(w -> concat(nouns[1 + w % 20], ['', 's', 'ed', 'er', 'ing'][1 + intDiv(w, 20) % 5], verbs[1 + intDiv(w, 100)]), range(1000)) AS words,
    (salt -> leftPad(lower(hex(cityHash64(t, s, salt))), 16, '0')) AS token,
    -- A trace visits a few services, each with a few operations, as real ones do.
    cityHash64(t, intDiv(s, 3), 'service') % {services:UInt32} AS service,
    concat('service-', leftPad(toString(service), 3, '0')) AS name,
    concat(verbs[1 + cityHash64(service, cityHash64(t, s, 'operation') % 12) % 10], ' /',
        nouns[1 + cityHash64(service, cityHash64(t, s, 'operation') % 12, 'noun') % 20]) AS operation,
    toDateTime64({day:String}, 9) + toIntervalNanosecond(cityHash64(t, 'start') % 86000000000000) AS began,
    cityHash64(t, s, 'fails') % 200 = 0 AS fails,
    arrayStringConcat(arrayMap(j -> words[1 + cityHash64(t, s, j) % 1000], range(70)), ' ') AS text
SELECT
    began + toIntervalMicrosecond(s * 1500 + cityHash64(t, s, 'later') % 1000) AS Timestamp,
    lower(hex(MD5(concat('trace-', toString(t))))) AS TraceId,
    token('span') AS SpanId,
    if(s = 0, '', leftPad(lower(hex(cityHash64(t, intDiv(s - 1, 3), 'span'))), 16, '0')) AS ParentSpanId,
    operation, ['Internal', 'Server', 'Client', 'Producer', 'Consumer'][1 + cityHash64(t, s, 'kind') % 5], name,
    map('service.name', name, 'service.version', concat('1.', toString(service % 7)), 'deployment.environment.name', 'production',
        'k8s.pod.name', concat(name, '-', lower(hex(cityHash64(service, cityHash64(t, 'pod') % 40)))), 'host.name',
        concat('node-', toString(cityHash64(service, cityHash64(t, 'pod') % 40) % 300)), 'telemetry.sdk.name', 'opentelemetry'),
    concat('library.', toString(service % 9)), '1.4.2',
    map('http.request.method', ['GET', 'POST', 'PUT'][1 + cityHash64(t, s, 'method') % 3], 'http.route', operation,
        'http.response.status_code', if(fails, '500', '200'), 'url.full', concat('https://', name, '.example/', operation, '?id=', token('url')),
        'user.id', concat('user-', toString(cityHash64(t, 'user') % 200000)), 'session.id', token('session'),
        'order.id', concat('order-', toString(t), '-', toString(s)), 'tenant', concat('tenant-', toString(cityHash64(t, 'tenant') % 500)),
        'db.query.text', concat('SELECT * FROM ', nouns[1 + t % 20], ' WHERE id = ''', token('row'), ''' AND state IN (1, 2, 3) ORDER BY changed'),
        'payload', concat(text, ' ', token('a'), token('b'), token('c'), token('d'), token('e'), token('f'))),
    toUInt64(exp2(14 + (cityHash64(t, s, 'duration') % 16000) / 1000)) AS Duration,
    if(fails, 'Error', 'Unset'), if(fails, 'it failed', ''),
    if(fails, [Timestamp], []), if(fails, ['exception'], []),
    if(fails, [map('exception.type', 'TimeoutError', 'exception.message', concat('no answer to ', token('call')))], []),
    if(s % 20 = 19, [lower(hex(MD5(concat('trace-', toString(t - 1)))))], []), if(s % 20 = 19, [token('link')], []),
    if(s % 20 = 19, [''], []), if(s % 20 = 19, [map()], []),
    concat('view-', toString({first:UInt64})), Timestamp + toIntervalSecond(3), 'default', 1
FROM (
    SELECT {first:UInt64} + number AS t, arrayJoin(range({spans:UInt32})) AS s
    FROM numbers({traces:UInt64})
)
