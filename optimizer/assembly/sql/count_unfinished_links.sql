-- Links that lead to a trace which continues another.
SELECT count() FROM {{ table('assembly_links') }} WHERE Target IN (SELECT TraceId FROM {{ table('assembly_links') }})
