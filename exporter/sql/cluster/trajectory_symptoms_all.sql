-- trajectory_symptoms_all: trajectory_symptoms of every shard, for reading; columns as of migration 0211.
CREATE TABLE IF NOT EXISTS {{ table('trajectory_symptoms_all') }} {{ on_cluster }} AS {{ table('trajectory_symptoms') }}
ENGINE = {{ distributed('trajectory_symptoms') }}
