-- The followed links take the place of the links.
INSERT INTO {{ table('assembly_links') }} SELECT TraceId, Target FROM {{ table('assembly_links_followed') }}
