-- annotations_all: annotations of every shard, for reading; columns as of migration 0360.
CREATE TABLE IF NOT EXISTS {{ table('annotations_all') }} {{ on_cluster }} AS {{ table('annotations') }}
ENGINE = {{ distributed('annotations') }}
