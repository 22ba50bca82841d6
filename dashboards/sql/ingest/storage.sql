-- Size of each table on disk; the largest first.
SELECT
    table AS "Table", sum(rows) AS Rows, sum(bytes_on_disk) AS Bytes, sum(bytes_on_disk) / sum(rows) AS "Bytes a row",
    count() AS Parts
FROM system.parts
WHERE active AND database = currentDatabase() AND rows > 0
GROUP BY "Table"
ORDER BY Bytes DESC
