-- What the last assembly had read when it began (NULL = there was none), and now by the database's clock, in Unix ms.
SELECT
    (SELECT if(count() = 0, NULL, toUnixTimestamp64Milli(max(Cursor))) FROM {{ table('analyses') }} WHERE Stage = 'assembly' AND Cursor > toDateTime64(0, 3)),
    toUnixTimestamp64Milli(now64(3))
