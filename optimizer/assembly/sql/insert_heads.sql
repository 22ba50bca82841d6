-- The earliest model call told; where there is none, the earliest agent.
INSERT INTO {{ table('assembly_heads') }}
SELECT N, min((Class != 'llm', Ordinal)).2 FROM {{ table('assembly_calls') }} WHERE Told GROUP BY N
