-- otlp_traces_in: a segment of the log, one row per ExportTraceServiceRequest (proto/otlp_traces.proto). Stores nothing;
-- the views below explode it.
CREATE TABLE IF NOT EXISTS {{ table('otlp_traces_in') }} {{ on_cluster }} (
    resource_spans Array(Tuple(
        resource Tuple(attributes {{ otlp.key_values() }}),
        scope_spans Array(Tuple(
            scope Tuple(name String, version String, attributes {{ otlp.key_values() }}),
            spans Array(Tuple(
                trace_id String, span_id String, trace_state String, parent_span_id String, name String, kind Int32,
                start_time_unix_nano UInt64, end_time_unix_nano UInt64, attributes {{ otlp.key_values() }},
                dropped_attributes_count UInt32,
                events Array(Tuple(time_unix_nano UInt64, name String, attributes {{ otlp.key_values() }})), dropped_events_count UInt32,
                links Array(Tuple(trace_id String, span_id String, trace_state String, attributes {{ otlp.key_values() }})), dropped_links_count UInt32,
                status Tuple(message String, code Int32), flags UInt32)),
            schema_url String)),
        schema_url String)),
    project String,
    received_time UInt64,
    batch_id String
) ENGINE = Null
