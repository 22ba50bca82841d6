-- genai_spans_all: genai_spans of every shard, for reading; columns as of migration 0100.
CREATE TABLE IF NOT EXISTS {{ table('genai_spans_all') }} {{ on_cluster }} AS {{ table('genai_spans') }}
ENGINE = {{ distributed('genai_spans') }}
