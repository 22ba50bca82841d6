-- assessments_all: assessments of every shard, for reading; columns as of migration 0210.
CREATE TABLE IF NOT EXISTS {{ table('assessments_all') }} {{ on_cluster }} AS {{ table('assessments') }}
ENGINE = {{ distributed('assessments') }}
