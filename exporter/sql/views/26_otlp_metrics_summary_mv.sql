-- otlp_metrics_summary_mv: requests -> otel_metrics_summary, values as clickhouseexporter v0.161.0 stores them.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('otlp_metrics_summary_mv') }} {{ on_cluster }} TO {{ table('otel_metrics_summary') }} AS
SELECT
    {{ otlp.metric_head() }},
    point.count AS Count,
    point.sum AS Sum,
    arrayMap(q -> q.quantile, point.quantile_values) AS `ValueAtQuantiles.Quantile`,
    arrayMap(q -> q.value, point.quantile_values) AS `ValueAtQuantiles.Value`,
    point.flags AS Flags,
    {{ otlp.metric_tail() }}
{{ otlp.metric_points('summary') }}
