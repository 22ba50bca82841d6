-- trajectory_steps_all: trajectory_steps of every shard, for reading; columns as of migration 0204.
CREATE TABLE IF NOT EXISTS {{ table('trajectory_steps_all') }} {{ on_cluster }} AS {{ table('trajectory_steps') }}
ENGINE = {{ distributed('trajectory_steps') }}
