-- otel_metrics_gauge_all: otel_metrics_gauge of every shard, for reading; columns as of migration 0004.
CREATE TABLE IF NOT EXISTS {{ table('otel_metrics_gauge_all') }} {{ on_cluster }} AS {{ table('otel_metrics_gauge') }}
ENGINE = {{ distributed('otel_metrics_gauge') }}
