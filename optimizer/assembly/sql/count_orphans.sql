-- Spans whose parent is to be looked for among all spans.
SELECT count() FROM {{ table('assembly_orphans') }}
