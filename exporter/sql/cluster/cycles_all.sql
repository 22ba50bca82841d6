-- cycles_all: cycles of every shard, for reading; columns as of migration 0350.
CREATE TABLE IF NOT EXISTS {{ table('cycles_all') }} {{ on_cluster }} AS {{ table('cycles') }}
ENGINE = {{ distributed('cycles') }}
