-- intent_clusters_all: intent_clusters of every shard, for reading; columns as of migration 0216.
CREATE TABLE IF NOT EXISTS {{ table('intent_clusters_all') }} {{ on_cluster }} AS {{ table('intent_clusters') }}
ENGINE = {{ distributed('intent_clusters') }}
