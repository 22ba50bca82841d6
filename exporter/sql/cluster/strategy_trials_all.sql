-- strategy_trials_all: strategy_trials of every shard, for reading; columns as of migration 0341.
CREATE TABLE IF NOT EXISTS {{ table('strategy_trials_all') }} {{ on_cluster }} AS {{ table('strategy_trials') }}
ENGINE = {{ distributed('strategy_trials') }}
