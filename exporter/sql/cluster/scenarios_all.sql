-- scenarios_all: scenarios of every shard, for reading; columns as of migration 0300.
CREATE TABLE IF NOT EXISTS {{ table('scenarios_all') }} {{ on_cluster }} AS {{ table('scenarios') }}
ENGINE = {{ distributed('scenarios') }}
