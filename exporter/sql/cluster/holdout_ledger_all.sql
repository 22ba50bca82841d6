-- holdout_ledger_all: holdout_ledger of every shard, for reading; columns as of migration 0322.
CREATE TABLE IF NOT EXISTS {{ table('holdout_ledger_all') }} {{ on_cluster }} AS {{ table('holdout_ledger') }}
ENGINE = {{ distributed('holdout_ledger') }}
