-- genai_spans_mv: otel_traces -> genai_spans, compiled from the rule table of spanloop.processor (processor/tagging.py).
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('genai_spans_mv') }} {{ on_cluster }} TO {{ table('genai_spans') }} AS
{{ genai_view_select }}
