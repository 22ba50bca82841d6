-- pattern_members_all: pattern_members of every shard, for reading; columns as of migration 0221.
CREATE TABLE IF NOT EXISTS {{ table('pattern_members_all') }} {{ on_cluster }} AS {{ table('pattern_members') }}
ENGINE = {{ distributed('pattern_members') }}
