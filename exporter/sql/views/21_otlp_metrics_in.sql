-- otlp_metrics_in: a segment of the log, one row per ExportMetricsServiceRequest (proto/otlp_metrics.proto). Stores nothing.
{%- set exemplars = "exemplars Array(Tuple(filtered_attributes " ~ otlp.key_values() ~ ", time_unix_nano UInt64, as_double Nullable(Float64), as_int Nullable(Int64), span_id String, trace_id String))" %}
{%- set number_points = "data_points Array(Tuple(attributes " ~ otlp.key_values() ~ ", start_time_unix_nano UInt64, time_unix_nano UInt64, as_double Nullable(Float64), as_int Nullable(Int64), flags UInt32, " ~ exemplars ~ "))" %}
{%- set buckets = "Tuple(offset Int32, bucket_counts Array(UInt64))" %}
CREATE TABLE IF NOT EXISTS {{ table('otlp_metrics_in') }} {{ on_cluster }} (
    resource_metrics Array(Tuple(
        resource Tuple(attributes {{ otlp.key_values() }}),
        scope_metrics Array(Tuple(
            scope Tuple(name String, version String, attributes {{ otlp.key_values() }}, dropped_attributes_count UInt32),
            metrics Array(Tuple(
                name String, description String, unit String,
                gauge Tuple({{ number_points }}),
                sum Tuple({{ number_points }}, aggregation_temporality Int32, is_monotonic Bool),
                histogram Tuple(
                    data_points Array(Tuple(
                        attributes {{ otlp.key_values() }}, start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64, sum Float64,
                        bucket_counts Array(UInt64), explicit_bounds Array(Float64), flags UInt32, min Float64, max Float64, {{ exemplars }})),
                    aggregation_temporality Int32),
                exponential_histogram Tuple(
                    data_points Array(Tuple(
                        attributes {{ otlp.key_values() }}, start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64, sum Float64,
                        scale Int32, zero_count UInt64, positive {{ buckets }}, negative {{ buckets }}, flags UInt32, min Float64, max Float64, {{ exemplars }})),
                    aggregation_temporality Int32),
                summary Tuple(
                    data_points Array(Tuple(
                        attributes {{ otlp.key_values() }}, start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64, sum Float64,
                        quantile_values Array(Tuple(quantile Float64, value Float64)), flags UInt32))))),
            schema_url String)),
        schema_url String)),
    project String,
    received_time UInt64,
    batch_id String
) ENGINE = Null
