-- analyses_all: analyses of every shard, for reading; columns as of migration 0230.
CREATE TABLE IF NOT EXISTS {{ table('analyses_all') }} {{ on_cluster }} AS {{ table('analyses') }}
ENGINE = {{ distributed('analyses') }}
