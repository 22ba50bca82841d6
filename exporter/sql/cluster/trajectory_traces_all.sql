-- trajectory_traces_all: trajectory_traces of every shard, for reading; columns as of migration 0201.
CREATE TABLE IF NOT EXISTS {{ table('trajectory_traces_all') }} {{ on_cluster }} AS {{ table('trajectory_traces') }}
ENGINE = {{ distributed('trajectory_traces') }}
