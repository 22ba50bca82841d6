-- trace_arrivals_all: trace_arrivals of every shard, for reading; columns as of migration 0200.
CREATE TABLE IF NOT EXISTS {{ table('trace_arrivals_all') }} {{ on_cluster }} AS {{ table('trace_arrivals') }}
ENGINE = {{ distributed('trace_arrivals') }}
