-- otel_logs_all: otel_logs of every shard, for reading; columns as of migration 0003.
CREATE TABLE IF NOT EXISTS {{ table('otel_logs_all') }} {{ on_cluster }} AS {{ table('otel_logs') }}
ENGINE = {{ distributed('otel_logs') }}
