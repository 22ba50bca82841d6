-- strategies_all: strategies of every shard, for reading; columns as of migration 0340.
CREATE TABLE IF NOT EXISTS {{ table('strategies_all') }} {{ on_cluster }} AS {{ table('strategies') }}
ENGINE = {{ distributed('strategies') }}
