-- One row: where this extraction begins (NULL at the first), and where the next will.
-- Parameters: overlap_s UInt32, seconds that are read again for inserts that were under way.
SELECT
    (SELECT maxOrNull(Cursor) FROM {{ table('analyses') }} WHERE Stage = 'feedback') - toIntervalSecond({overlap_s:UInt32}) AS since,
    now64(3) AS until
