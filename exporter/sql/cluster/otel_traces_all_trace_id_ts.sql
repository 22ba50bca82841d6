-- otel_traces_all_trace_id_ts: otel_traces_trace_id_ts of every shard, for reading; columns as of migration 0002. Named as Grafana
-- looks for it: the table of traces, then _trace_id_ts.
CREATE TABLE IF NOT EXISTS {{ table('otel_traces_all_trace_id_ts') }} {{ on_cluster }} AS {{ table('otel_traces_trace_id_ts') }}
ENGINE = {{ distributed('otel_traces_trace_id_ts') }}
