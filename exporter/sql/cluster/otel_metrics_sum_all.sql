-- otel_metrics_sum_all: otel_metrics_sum of every shard, for reading; columns as of migration 0005.
CREATE TABLE IF NOT EXISTS {{ table('otel_metrics_sum_all') }} {{ on_cluster }} AS {{ table('otel_metrics_sum') }}
ENGINE = {{ distributed('otel_metrics_sum') }}
