-- peer_tools_all: peer_tools of every shard, for reading; columns as of migration 0222.
CREATE TABLE IF NOT EXISTS {{ table('peer_tools_all') }} {{ on_cluster }} AS {{ table('peer_tools') }}
ENGINE = {{ distributed('peer_tools') }}
