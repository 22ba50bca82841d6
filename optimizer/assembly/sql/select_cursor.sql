-- What the last assembly had read when it began ('' = there was none), and now by the database's clock, as text.
SELECT
    (SELECT if(count() = 0, '', toString(max(Cursor))) FROM {{ table('analyses') }} WHERE Stage = 'assembly' AND Cursor > toDateTime64(0, 3)),
    toString(now64(3))
