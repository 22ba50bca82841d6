-- trajectories_all: trajectories of every shard, for reading; columns as of migration 0203.
CREATE TABLE IF NOT EXISTS {{ table('trajectories_all') }} {{ on_cluster }} AS {{ table('trajectories') }}
ENGINE = {{ distributed('trajectories') }}
