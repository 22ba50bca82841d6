-- otlp_metrics_exponential_histogram_mv: requests -> otel_metrics_exponential_histogram, values as clickhouseexporter v0.161.0 stores them.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('otlp_metrics_exponential_histogram_mv') }} {{ on_cluster }} TO {{ table('otel_metrics_exponential_histogram') }} AS
SELECT
    {{ otlp.metric_head() }},
    point.count AS Count,
    point.sum AS Sum,
    point.scale AS Scale,
    point.zero_count AS ZeroCount,
    point.positive.offset AS PositiveOffset,
    point.positive.bucket_counts AS PositiveBucketCounts,
    point.negative.offset AS NegativeOffset,
    point.negative.bucket_counts AS NegativeBucketCounts,
    {{ otlp.exemplars() }},
    point.flags AS Flags,
    point.min AS Min,
    point.max AS Max,
    temporality AS AggregationTemporality,
    {{ otlp.metric_tail() }}
{{ otlp.metric_points('exponential_histogram', 'metric.exponential_histogram.aggregation_temporality AS temporality') }}
