-- failure_patterns_all: failure_patterns of every shard, for reading; columns as of migration 0220.
CREATE TABLE IF NOT EXISTS {{ table('failure_patterns_all') }} {{ on_cluster }} AS {{ table('failure_patterns') }}
ENGINE = {{ distributed('failure_patterns') }}
