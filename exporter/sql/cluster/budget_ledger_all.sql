-- budget_ledger_all: budget_ledger of every shard, for reading; columns as of migration 0351.
CREATE TABLE IF NOT EXISTS {{ table('budget_ledger_all') }} {{ on_cluster }} AS {{ table('budget_ledger') }}
ENGINE = {{ distributed('budget_ledger') }}
