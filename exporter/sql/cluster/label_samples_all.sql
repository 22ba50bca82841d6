-- label_samples_all: label_samples of every shard, for reading; columns as of migration 0215.
CREATE TABLE IF NOT EXISTS {{ table('label_samples_all') }} {{ on_cluster }} AS {{ table('label_samples') }}
ENGINE = {{ distributed('label_samples') }}
