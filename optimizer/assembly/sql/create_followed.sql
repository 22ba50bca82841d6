-- Each link followed one link further (so that its length doubles): a continuation of a continuation leads to the first.
CREATE OR REPLACE TABLE {{ table('assembly_links_followed') }} ENGINE = Memory AS
SELECT l.TraceId AS TraceId, if(n.TraceId != '', n.Target, l.Target) AS Target
FROM {{ table('assembly_links') }} AS l
LEFT JOIN {{ table('assembly_links') }} AS n ON n.TraceId = l.Target
