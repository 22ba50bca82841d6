-- otel_metrics_exponential_histogram_all: otel_metrics_exponential_histogram of every shard, for reading; columns as of migration 0007.
CREATE TABLE IF NOT EXISTS {{ table('otel_metrics_exponential_histogram_all') }} {{ on_cluster }} AS {{ table('otel_metrics_exponential_histogram') }}
ENGINE = {{ distributed('otel_metrics_exponential_histogram') }}
