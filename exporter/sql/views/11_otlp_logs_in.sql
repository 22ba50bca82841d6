-- otlp_logs_in: a segment of the log, one row per ExportLogsServiceRequest (proto/otlp_logs.proto). Stores nothing.
CREATE TABLE IF NOT EXISTS {{ table('otlp_logs_in') }} {{ on_cluster }} (
    resource_logs Array(Tuple(
        resource Tuple(attributes {{ otlp.key_values() }}),
        scope_logs Array(Tuple(
            scope Tuple(name String, version String, attributes {{ otlp.key_values() }}),
            log_records Array(Tuple(
                time_unix_nano UInt64, observed_time_unix_nano UInt64, severity_number Int32, severity_text String,
                body {{ otlp.any_value() }}, attributes {{ otlp.key_values() }}, dropped_attributes_count UInt32, flags UInt32,
                trace_id String, span_id String, event_name String)),
            schema_url String)),
        schema_url String)),
    project String,
    received_time UInt64,
    batch_id String
) ENGINE = Null
