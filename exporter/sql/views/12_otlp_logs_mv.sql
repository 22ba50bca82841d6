-- otlp_logs_mv: requests -> otel_logs, values formatted as clickhouseexporter v0.161.0 does. An absurd time stamp is stored as
-- the time of receipt with the original in the attribute spanloop.original_time_unix_nano.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('otlp_logs_mv') }} {{ on_cluster }} TO {{ table('otel_logs') }} AS
SELECT
    {{ otlp.timestamp(otlp.clamped('time_ns')) }} AS Timestamp,
    {{ otlp.hex_id('record.trace_id') }} AS TraceId,
    {{ otlp.hex_id('record.span_id') }} AS SpanId,
    toUInt8(bitAnd(record.flags, 255)) AS TraceFlags,
    record.severity_text AS SeverityText,
    toUInt8(bitAnd(record.severity_number, 255)) AS SeverityNumber,
    ResourceAttributes['service.name'] AS ServiceName,
    {{ otlp.as_text('record.body') }} AS Body,
    resource_schema_url AS ResourceSchemaUrl,
    ResourceAttributes,
    scope_schema_url AS ScopeSchemaUrl,
    scope.name AS ScopeName,
    scope.version AS ScopeVersion,
    ScopeAttributes,
    if({{ otlp.absurd('time_ns') }},
       mapSort(mapConcat({{ otlp.attributes('record.attributes') }}, CAST(map('spanloop.original_time_unix_nano', toString(time_ns)), 'Map(LowCardinality(String), String)'))),
       {{ otlp.attributes('record.attributes') }}) AS LogAttributes,
    record.event_name AS EventName,
    lower(hex(batch_id)) AS BatchId,
    {{ otlp.timestamp('received_time') }} AS ReceivedTime,
    project AS Project,
    {{ otlp.timestamp('record.observed_time_unix_nano') }} AS ObservedTimestamp,
    record.dropped_attributes_count AS DroppedAttributesCount
FROM (
    SELECT *, if(record.time_unix_nano = 0, record.observed_time_unix_nano, record.time_unix_nano) AS time_ns
    FROM (
        SELECT
            batch_id, received_time, project, ResourceAttributes, resource_schema_url,
            {{ otlp.attributes('sl.scope.attributes') }} AS ScopeAttributes,
            sl.schema_url AS scope_schema_url, sl.scope AS scope, arrayJoin(sl.log_records) AS record
        FROM (
            SELECT
                batch_id, received_time, project,
                {{ otlp.attributes('rl.resource.attributes') }} AS ResourceAttributes,
                rl.schema_url AS resource_schema_url, arrayJoin(rl.scope_logs) AS sl
            FROM (SELECT batch_id, received_time, project, arrayJoin(resource_logs) AS rl FROM {{ table('otlp_logs_in') }}))))
