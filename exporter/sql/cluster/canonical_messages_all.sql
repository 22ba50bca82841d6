-- canonical_messages_all: canonical_messages of every shard, for reading; columns as of migration 0202.
CREATE TABLE IF NOT EXISTS {{ table('canonical_messages_all') }} {{ on_cluster }} AS {{ table('canonical_messages') }}
ENGINE = {{ distributed('canonical_messages') }}
