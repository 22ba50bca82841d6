-- otlp_metrics_sum_mv: requests -> otel_metrics_sum, values as clickhouseexporter v0.161.0 stores them.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('otlp_metrics_sum_mv') }} {{ on_cluster }} TO {{ table('otel_metrics_sum') }} AS
SELECT
    {{ otlp.metric_head() }},
    coalesce(point.as_double, toFloat64(point.as_int), 0.) AS Value,
    point.flags AS Flags,
    {{ otlp.exemplars() }},
    temporality AS AggregationTemporality,
    monotonic AS IsMonotonic,
    {{ otlp.metric_tail() }}
{{ otlp.metric_points('sum', 'metric.sum.aggregation_temporality AS temporality, metric.sum.is_monotonic AS monotonic') }}
