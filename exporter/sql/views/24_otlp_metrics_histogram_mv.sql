-- otlp_metrics_histogram_mv: requests -> otel_metrics_histogram, values as clickhouseexporter v0.161.0 stores them.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('otlp_metrics_histogram_mv') }} {{ on_cluster }} TO {{ table('otel_metrics_histogram') }} AS
SELECT
    {{ otlp.metric_head() }},
    point.count AS Count,
    point.sum AS Sum,
    point.bucket_counts AS BucketCounts,
    point.explicit_bounds AS ExplicitBounds,
    {{ otlp.exemplars() }},
    point.flags AS Flags,
    point.min AS Min,
    point.max AS Max,
    temporality AS AggregationTemporality,
    {{ otlp.metric_tail() }}
{{ otlp.metric_points('histogram', 'metric.histogram.aggregation_temporality AS temporality') }}
