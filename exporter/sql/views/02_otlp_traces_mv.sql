-- otlp_traces_mv: requests -> otel_traces, values formatted as clickhouseexporter v0.161.0 does. Where that exporter would
-- lose the row, this view differs: an absurd start time is stored as the time of receipt with the original in the attribute
-- spanloop.original_start_time_unix_nano, and a span that ends before it starts has duration 0 instead of one wrapped around.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('otlp_traces_mv') }} {{ on_cluster }} TO {{ table('otel_traces') }} AS
WITH
    ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'] AS kinds,
    ['Unset', 'Ok', 'Error'] AS codes
SELECT
    {{ otlp.timestamp(otlp.clamped('span.start_time_unix_nano')) }} AS Timestamp,
    {{ otlp.hex_id('span.trace_id') }} AS TraceId,
    {{ otlp.hex_id('span.span_id') }} AS SpanId,
    {{ otlp.hex_id('span.parent_span_id') }} AS ParentSpanId,
    span.trace_state AS TraceState,
    span.name AS SpanName,
    if(span.kind BETWEEN 0 AND 5, kinds[span.kind + 1], '') AS SpanKind,
    ResourceAttributes['service.name'] AS ServiceName,
    ResourceAttributes,
    scope.name AS ScopeName,
    scope.version AS ScopeVersion,
    if({{ otlp.absurd('span.start_time_unix_nano') }},
       mapSort(mapConcat({{ otlp.attributes('span.attributes') }}, CAST(map('spanloop.original_start_time_unix_nano', toString(span.start_time_unix_nano)), 'Map(LowCardinality(String), String)'))),
       {{ otlp.attributes('span.attributes') }}) AS SpanAttributes,
    greatest(span.end_time_unix_nano, span.start_time_unix_nano) - span.start_time_unix_nano AS Duration,
    if(span.status.code BETWEEN 0 AND 2, codes[span.status.code + 1], '') AS StatusCode,
    span.status.message AS StatusMessage,
    arrayMap(e -> {{ otlp.timestamp('e.time_unix_nano') }}, span.events) AS `Events.Timestamp`,
    arrayMap(e -> e.name, span.events) AS `Events.Name`,
    arrayMap(e -> {{ otlp.attributes('e.attributes') }}, span.events) AS `Events.Attributes`,
    arrayMap(l -> {{ otlp.hex_id('l.trace_id') }}, span.links) AS `Links.TraceId`,
    arrayMap(l -> {{ otlp.hex_id('l.span_id') }}, span.links) AS `Links.SpanId`,
    arrayMap(l -> l.trace_state, span.links) AS `Links.TraceState`,
    arrayMap(l -> {{ otlp.attributes('l.attributes') }}, span.links) AS `Links.Attributes`,
    lower(hex(batch_id)) AS BatchId,
    {{ otlp.timestamp('received_time') }} AS ReceivedTime,
    project AS Project,
    span.flags AS Flags,
    ScopeAttributes,
    resource_schema_url AS ResourceSchemaUrl,
    scope_schema_url AS ScopeSchemaUrl,
    span.dropped_attributes_count AS DroppedAttributesCount,
    span.dropped_events_count AS DroppedEventsCount,
    span.dropped_links_count AS DroppedLinksCount
FROM (
    SELECT
        batch_id, received_time, project, ResourceAttributes, resource_schema_url,
        {{ otlp.attributes('ss.scope.attributes') }} AS ScopeAttributes,
        ss.schema_url AS scope_schema_url, ss.scope AS scope, arrayJoin(ss.spans) AS span
    FROM (
        SELECT
            batch_id, received_time, project,
            {{ otlp.attributes('rs.resource.attributes') }} AS ResourceAttributes,
            rs.schema_url AS resource_schema_url, arrayJoin(rs.scope_spans) AS ss
        FROM (SELECT batch_id, received_time, project, arrayJoin(resource_spans) AS rs FROM {{ table('otlp_traces_in') }})))
