-- The spans whose messages are read.
INSERT INTO {{ table('assembly_wanted') }} SELECT TraceId, SpanKey FROM {{ table('assembly_calls') }} WHERE Told
