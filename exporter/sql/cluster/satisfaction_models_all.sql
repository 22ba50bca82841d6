-- satisfaction_models_all: satisfaction_models of every shard, for reading; columns as of migration 0231.
CREATE TABLE IF NOT EXISTS {{ table('satisfaction_models_all') }} {{ on_cluster }} AS {{ table('satisfaction_models') }}
ENGINE = {{ distributed('satisfaction_models') }}
