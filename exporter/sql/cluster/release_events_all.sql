-- release_events_all: release_events of every shard, for reading; columns as of migration 0331.
CREATE TABLE IF NOT EXISTS {{ table('release_events_all') }} {{ on_cluster }} AS {{ table('release_events') }}
ENGINE = {{ distributed('release_events') }}
