-- otel_metrics_summary_all: otel_metrics_summary of every shard, for reading; columns as of migration 0008.
CREATE TABLE IF NOT EXISTS {{ table('otel_metrics_summary_all') }} {{ on_cluster }} AS {{ table('otel_metrics_summary') }}
ENGINE = {{ distributed('otel_metrics_summary') }}
