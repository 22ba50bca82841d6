-- One row: where this extraction begins (NULL at the first), and where the next will, in Unix ms: the database's zone has no say.
-- Parameters: overlap_s UInt32, seconds that are read again for inserts that were under way.
SELECT
    (SELECT toUnixTimestamp64Milli(maxOrNull(Cursor)) FROM {{ table('analyses') }} WHERE Stage = 'feedback') - {overlap_s:UInt32} * 1000 AS since,
    toUnixTimestamp64Milli(now64(3)) AS until
