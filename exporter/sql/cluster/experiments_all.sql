-- experiments_all: experiments of every shard, for reading; columns as of migration 0320.
CREATE TABLE IF NOT EXISTS {{ table('experiments_all') }} {{ on_cluster }} AS {{ table('experiments') }}
ENGINE = {{ distributed('experiments') }}
