-- releases_all: releases of every shard, for reading; columns as of migration 0330.
CREATE TABLE IF NOT EXISTS {{ table('releases_all') }} {{ on_cluster }} AS {{ table('releases') }}
ENGINE = {{ distributed('releases') }}
