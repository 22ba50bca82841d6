-- candidates_all: candidates of every shard, for reading; columns as of migration 0310.
CREATE TABLE IF NOT EXISTS {{ table('candidates_all') }} {{ on_cluster }} AS {{ table('candidates') }}
ENGINE = {{ distributed('candidates') }}
