-- otel_traces_all: otel_traces of every shard, for reading; columns as of migration 0001.
CREATE TABLE IF NOT EXISTS {{ table('otel_traces_all') }} {{ on_cluster }} AS {{ table('otel_traces') }}
ENGINE = {{ distributed('otel_traces') }}
