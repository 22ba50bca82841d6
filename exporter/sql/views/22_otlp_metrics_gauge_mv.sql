-- otlp_metrics_gauge_mv: requests -> otel_metrics_gauge, values as clickhouseexporter v0.161.0 stores them.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('otlp_metrics_gauge_mv') }} {{ on_cluster }} TO {{ table('otel_metrics_gauge') }} AS
SELECT
    {{ otlp.metric_head() }},
    coalesce(point.as_double, toFloat64(point.as_int), 0.) AS Value,
    point.flags AS Flags,
    {{ otlp.exemplars() }},
    {{ otlp.metric_tail() }}
{{ otlp.metric_points('gauge') }}
