-- trajectory_features_all: trajectory_features of every shard, for reading; columns as of migration 0212.
CREATE TABLE IF NOT EXISTS {{ table('trajectory_features_all') }} {{ on_cluster }} AS {{ table('trajectory_features') }}
ENGINE = {{ distributed('trajectory_features') }}
