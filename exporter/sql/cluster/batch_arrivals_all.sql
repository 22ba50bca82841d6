-- batch_arrivals_all: batch_arrivals of every shard, for reading; columns as of migration 0199.
CREATE TABLE IF NOT EXISTS {{ table('batch_arrivals_all') }} {{ on_cluster }} AS {{ table('batch_arrivals') }}
ENGINE = {{ distributed('batch_arrivals') }}
