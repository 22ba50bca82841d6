Statements that people, Grafana and clients send; each must give what chDB itself gives.

--- constants
SELECT 1, 'it''s', 1.5, NULL, [1, 2], (1, 'a'), map('a', 1), -1, 1e10, 0xff, true, inf

--- filter
SELECT SpanName, Duration FROM otel_traces WHERE Duration > 990000 ORDER BY Duration

--- qualified
SELECT count() FROM default.otel_traces AS t WHERE t.StatusCode = 'Error'

--- star
SELECT * FROM replaced FINAL ORDER BY k

--- star except, replace
SELECT * EXCEPT (ver) REPLACE (upper(v) AS v) FROM replaced FINAL ORDER BY k

--- columns matcher
SELECT COLUMNS('^k|v$') FROM replaced ORDER BY ALL

--- apply
SELECT * APPLY toString FROM replaced ORDER BY ALL

--- apply with a lambda
SELECT * APPLY (x -> concat(toString(x), '!')) FROM replaced ORDER BY ALL

--- join
SELECT a.k, b.v FROM replaced a LEFT JOIN replaced AS b ON a.k = b.k AND b.ver > 1 ORDER BY ALL

--- asof join
SELECT a.number, b.ver FROM numbers(3) a ASOF LEFT JOIN replaced AS b ON a.number
= b.k AND a.number >= b.ver ORDER BY ALL

--- using, comma and cross
SELECT count() FROM replaced a, replaced b CROSS JOIN numbers(2) AS c

--- CTE
WITH e AS (SELECT TraceId FROM errors), 2 AS two SELECT count() * two FROM e

--- nested CTE
WITH a AS (WITH b AS (SELECT 1 AS x) SELECT x FROM b) SELECT x FROM a

--- recursive CTE
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) FROM r

--- window
SELECT ServiceName, Duration, row_number() OVER (PARTITION BY ServiceName ORDER BY
Duration), lagInFrame(Duration) OVER w FROM otel_traces WINDOW w AS (ORDER BY Duration,
SpanId ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) ORDER BY Duration LIMIT 5

--- qualify
SELECT SpanName, Duration FROM otel_traces QUALIFY row_number() OVER (PARTITION BY
SpanName ORDER BY Duration DESC) = 1 ORDER BY SpanName

--- quantiles
SELECT quantile(0.9)(Duration), quantilesExact(0.5, 0.99)(Duration) FROM otel_traces

--- combinators
SELECT countIf(StatusCode = 'Error'), sumMap(map('a', 1)), uniqExactIf(TraceId, Duration
> 5), avgOrNull(Tokens), groupUniqArrayArray(mapKeys(SpanAttributes)) != [], count(DISTINCT
SpanName), count() FILTER (WHERE Duration = 0) FROM otel_traces

--- states
SELECT finalizeAggregation(sumState(number)), sumMerge(s) FROM (SELECT sumState(number)
AS s, number FROM numbers(3) GROUP BY number) GROUP BY number ORDER BY ALL

--- arrays and lambdas
SELECT arrayMap((x, i) -> x * i, [1, 2, 3], arrayEnumerate([1, 2, 3])), arrayFilter(x
-> x > 1, [1, 2])

--- array join
SELECT k, count() FROM otel_traces ARRAY JOIN mapKeys(SpanAttributes) AS k GROUP BY k ORDER BY k

--- left array join of nested
SELECT Events.Name FROM otel_traces LEFT ARRAY JOIN Events ORDER BY Duration LIMIT 1

--- nested attributes
SELECT Events.Attributes[1]['k'], Events.Timestamp FROM otel_traces LIMIT 1

--- map access
SELECT SpanAttributes['gen_ai.request.model'] AS m, count() FROM otel_traces GROUP BY m ORDER BY m

--- JSON functions
SELECT JSONExtractString(body, 'role'), JSONExtract(body, 'parts', 'Array(Tuple(type String, n UInt8))'),
JSON_VALUE(body, '$.parts[0].type'), simpleJSONExtractString(body, 'role') FROM documents

--- JSON type
SELECT (body::JSON).role::String, body::JSON AS j FROM documents

--- sample
SELECT count() > 0 FROM otel_traces SAMPLE 1/2

--- prewhere
SELECT count() FROM otel_traces PREWHERE SpanName = 'chat' WHERE Duration > 10

--- rollup, totals
SELECT SpanName, count() FROM otel_traces GROUP BY SpanName WITH ROLLUP ORDER BY ALL

--- totals
SELECT SpanName, count() FROM otel_traces GROUP BY SpanName WITH TOTALS ORDER BY ALL

--- grouping sets
SELECT SpanName, ServiceName, count() FROM otel_traces GROUP BY GROUPING SETS ((SpanName),
(ServiceName), ()) ORDER BY ALL

--- limit by, with ties, offset
SELECT SpanName, Duration FROM otel_traces ORDER BY SpanName, Duration LIMIT 2 BY
SpanName LIMIT 4 OFFSET 1

--- distinct on
SELECT DISTINCT ON (SpanName) SpanName FROM otel_traces ORDER BY SpanName

--- with fill
SELECT number * 2 AS n, 'x' AS s FROM numbers(3) ORDER BY n WITH FILL STEP 1 INTERPOLATE (s AS 'y')

--- union, except, intersect
SELECT * FROM (SELECT 1 AS a UNION ALL SELECT 2 EXCEPT SELECT 2 UNION DISTINCT SELECT 3) ORDER BY a

--- subqueries
SELECT count() FROM otel_traces WHERE TraceId IN (SELECT TraceId FROM errors) AND
Duration > (SELECT avg(Duration) FROM otel_traces)

--- in a table
SELECT count() FROM numbers(5) WHERE (number, 'only', 1) IN replaced

--- exists
SELECT EXISTS (SELECT 1 FROM errors WHERE Duration > 5)

--- operators
SELECT 5 DIV 2, 5 MOD 2, 1 <=> 1, NOT 1, 'a' || 'b', 'abc' LIKE 'a%', 'abc' NOT ILIKE
'B%', 'x' REGEXP 'x', 1 BETWEEN 0 AND 2, 1 IS NOT NULL, 1 ? 2 : 3, -(-1)

--- case, if, cast
SELECT CASE WHEN 1 THEN 'a' ELSE 'b' END, CASE 1 WHEN 1 THEN 2 END, 1::UInt8, CAST('2'
AS UInt32), '[1]'::Array(UInt8)

--- dates
SELECT toStartOfInterval(toDateTime('2026-11-01 01:02:03', 'UTC'), INTERVAL 5 MINUTE),
DATE '2026-11-01' + INTERVAL 1 DAY, dateDiff('hour', toDateTime(0), toDateTime(7200)),
toUnixTimestamp64Nano(toDateTime64('2026-11-01 00:00:00.123456789', 9, 'UTC')), EXTRACT(YEAR
FROM DATE '2026-01-01')

--- strings
SELECT substring('abc' FROM 2), trim(BOTH 'x' FROM 'xax'), position('b' IN 'abc'),
format('{}-{}', 'a', 1), replaceRegexpAll('a1', '\\d', 'n')

--- Grafana time series
SELECT toStartOfInterval(toDateTime(Timestamp), INTERVAL 60 second) AS time, ServiceName,
quantile(0.95)(Duration) / 1e6 AS "p95 (ms)" FROM "default"."otel_traces" WHERE (
Timestamp >= toDateTime64(1793491200, 3) AND Timestamp <= toDateTime64(1793494800,
3) ) AND ServiceName IN ('agent-a','agent-b') AND (1=1) GROUP BY time, ServiceName
ORDER BY time, ServiceName LIMIT 100

--- Grafana trace
WITH 'a' as trace_id, (SELECT min(Timestamp) FROM otel_traces WHERE TraceId = trace_id)
as trace_start SELECT TraceId AS traceID, SpanId AS spanID, multiply(toUnixTimestamp64Nano(Timestamp),
0.000001) AS startTime, arrayMap(key -> map('key', key, 'value', SpanAttributes[key]),
mapKeys(SpanAttributes)) AS tags FROM otel_traces WHERE TraceId = trace_id AND Timestamp
>= trace_start ORDER BY Timestamp LIMIT 1000

--- Grafana ad-hoc values
SELECT DISTINCT arrayJoin(mapKeys(SpanAttributes)) AS k FROM otel_traces ORDER BY k LIMIT 1000

--- Grafana columns
SELECT name, type FROM system.columns WHERE database = 'default' AND table = 'otel_traces'
ORDER BY position

--- view
SELECT count() FROM errors

--- table functions
SELECT count(), sum(n) FROM values('n UInt8, s String', (1, 'a'), (2, 'b')) AS a CROSS
JOIN numbers(2) AS b

--- view()
SELECT x FROM view(SELECT 1 AS x)

--- system tables
SELECT name, engine FROM system.tables WHERE database = 'default' ORDER BY name

--- system databases
SELECT count(*) > 2 FROM system.databases

--- information schema
SELECT table_name FROM information_schema.tables WHERE table_schema = 'default' ORDER BY 1

--- show tables
SHOW TABLES

--- show tables from, like
SHOW TABLES FROM default LIKE 'otel%'

--- show databases
SHOW DATABASES LIKE 'd%'

--- show columns
SHOW COLUMNS FROM replaced

--- show create
SHOW CREATE TABLE replaced

--- describe
DESCRIBE TABLE otel_traces

--- describe qualified
DESC default.replaced

--- describe a query
DESCRIBE (SELECT 1 AS a, 'x' AS b)

--- exists a table
EXISTS TABLE default.replaced

--- exists not
EXISTS default.no_such_table

--- explain
EXPLAIN SELECT count() FROM replaced

--- explain indexes
EXPLAIN indexes = 1 SELECT count() FROM otel_traces WHERE ServiceName = 'agent-a'

--- explain syntax
EXPLAIN SYNTAX SELECT 1 + 1

--- explain ast
EXPLAIN AST SELECT 1 + 1

--- comments
/* who: grafana */ SELECT 1 -- the end

--- trailing semicolon
SELECT 1;

--- semicolon in text
SELECT ';', 'SELECT file(''x'')', $$a;b$$

--- names with odd characters
SELECT 1 AS "Latency (ms); file('x')", 2 AS `a``b`, 3 AS `ü\n`

--- values with types
SELECT * FROM values('a UInt8, `b c` Map(String, DateTime64(3, \'UTC\')), e Enum(\'x\' = 1)',
(1, map('k', '2026-11-01 00:00:00.5'), 'x'))

--- values without a structure
SELECT * FROM values((1, 'a'), (2, 'b')) ORDER BY ALL
