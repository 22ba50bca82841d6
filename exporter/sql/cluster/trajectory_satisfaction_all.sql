-- trajectory_satisfaction_all: trajectory_satisfaction of every shard, for reading; columns as of migration 0213.
CREATE TABLE IF NOT EXISTS {{ table('trajectory_satisfaction_all') }} {{ on_cluster }} AS {{ table('trajectory_satisfaction') }}
ENGINE = {{ distributed('trajectory_satisfaction') }}
