-- experiment_runs_all: experiment_runs of every shard, for reading; columns as of migration 0321.
CREATE TABLE IF NOT EXISTS {{ table('experiment_runs_all') }} {{ on_cluster }} AS {{ table('experiment_runs') }}
ENGINE = {{ distributed('experiment_runs') }}
