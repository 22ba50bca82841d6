-- The spans of some traces as OTLP: a row is a TracesData of one span (proto/otlp_spans_out.proto) and the id of its trace.
-- Parameters: ids Array(String), hex, in the order wanted; too_large UInt64, bytes of text, about, beyond which a span's values are cut, since
-- Jaeger's gRPC client refuses messages over 4 MiB; cut UInt64, bytes that are left of each. Order: as ids, then time.
-- The days come from the small table of trace times, so that other partitions are not opened.
WITH
    '@jaeger@warnings' AS warnings_key,
    -- Jaeger reads nothing of a message that holds an id of another length, which a row written by others may have.
    (id -> if(empty(id), '', unhex(leftPad(id, 16, '0')))) AS span_id_of,
    -- Jaeger appends to its warnings as to a list: text under that key would stop it.
    ((a, most) -> arrayMap((k, v) -> (
            k,
            (
                multiIf(k = warnings_key, NULL, length(v) > most, toValidUTF8(left(v, most)), v),
                tuple(if(k = warnings_key, [tuple(v)], []))
            )
        ), mapKeys(a), mapValues(a))) AS attributes_of,
    -- About: with what the strings take in memory. Exact sums of lengths cost more to plan than a trace to read.
    byteSize(SpanAttributes, ResourceAttributes, ScopeAttributes, `Events.Attributes`, `Links.Attributes`) AS text_bytes,
    text_bytes > {too_large:UInt64} AS is_cut,
    if(is_cut, {cut:UInt64}, text_bytes) AS most
SELECT
    [CAST(
        (
            tuple(attributes_of(ResourceAttributes, most)),
            [(
                (ScopeName, ScopeVersion, attributes_of(ScopeAttributes, most)),
                [(
                    unhex(TraceId), span_id_of(SpanId), TraceState, span_id_of(ParentSpanId), SpanName,
                    indexOf(['Internal', 'Server', 'Client', 'Producer', 'Consumer'], SpanKind),
                    toUnixTimestamp64Nano(Timestamp), toUnixTimestamp64Nano(Timestamp) + Duration,
                    attributes_of(if(is_cut, mapUpdate(SpanAttributes, map(warnings_key, concat('spanloop cut values of this span to ',
                        toString({cut:UInt64}), ' bytes: it has about ', toString(text_bytes)))), SpanAttributes), most),
                    DroppedAttributesCount,
                    arrayMap((t, n, a) -> (toUnixTimestamp64Nano(t), n, attributes_of(a, most)),
                        `Events.Timestamp`, `Events.Name`, `Events.Attributes`),
                    DroppedEventsCount,
                    arrayMap((t, s, w, a) -> (if(empty(t), '', unhex(leftPad(t, 32, '0'))), span_id_of(s), w, attributes_of(a, most)),
                        `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, `Links.Attributes`),
                    DroppedLinksCount,
                    (StatusMessage, indexOf(['Ok', 'Error'], StatusCode)),
                    Flags
                )],
                ScopeSchemaUrl
            )],
            ResourceSchemaUrl
        ), 'Tuple(
            resource Tuple(attributes {{ attributes }}),
            scope_spans Array(Tuple(
                scope Tuple(name String, version String, attributes {{ attributes }}),
                spans Array(Tuple(
                    trace_id String, span_id String, trace_state String, parent_span_id String, name String, kind Int32,
                    start_time_unix_nano UInt64, end_time_unix_nano UInt64, attributes {{ attributes }}, dropped_attributes_count UInt32,
                    events Array(Tuple(time_unix_nano UInt64, name String, attributes {{ attributes }})), dropped_events_count UInt32,
                    links Array(Tuple(trace_id String, span_id String, trace_state String, attributes {{ attributes }})),
                    dropped_links_count UInt32, status Tuple(message String, code Int32), flags UInt32)),
                schema_url String)),
            schema_url String)'
    )] AS resource_spans,
    unhex(TraceId) AS trace
FROM {{ table(traces) }}
WHERE TraceId IN {ids:Array(String)}
    AND toDate(Timestamp) {{ globally }}IN (
        SELECT arrayJoin(arrayMap(d -> toDate(Start) + d, range(toUInt32(toDate(End) - toDate(Start)) + 1)))
        FROM {{ table(traces ~ '_trace_id_ts') }}
        WHERE TraceId IN {ids:Array(String)}
    )
ORDER BY indexOf({ids:Array(String)}, TraceId), Timestamp, SpanId
