-- satisfaction_rates_all: satisfaction_rates of every shard, for reading; columns as of migration 0214.
CREATE TABLE IF NOT EXISTS {{ table('satisfaction_rates_all') }} {{ on_cluster }} AS {{ table('satisfaction_rates') }}
ENGINE = {{ distributed('satisfaction_rates') }}
