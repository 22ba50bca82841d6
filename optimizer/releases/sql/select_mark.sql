-- What tells whether releases changed since they were last read: versions, and the sum of all of them. No parameters; one row.
SELECT count() AS Versions, sum(Version) AS Sum FROM {{ table('releases') }} FINAL
