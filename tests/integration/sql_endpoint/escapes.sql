Statements that read, write or run something they should not; each really works in chDB.

--- scalar file()
SELECT file('secret')

--- scalar file(), other case
SELECT `file`('secret')

--- file() behind an alias
WITH file('secret') AS x SELECT x

--- file() in a lambda
SELECT arrayMap(x -> file(x), ['secret'])

--- file() in ORDER BY
SELECT 1 ORDER BY file('secret')

--- file() in LIMIT BY
SELECT 1 AS a LIMIT 1 BY file('secret')

--- file() in a window
SELECT count() OVER (PARTITION BY file('secret'))

--- file() in a named window
SELECT count() OVER w WINDOW w AS (ORDER BY file('secret'))

--- file() by APPLY
SELECT * APPLY (x -> file('secret')) FROM numbers(1)

--- file() by REPLACE
SELECT * REPLACE (file('secret') AS number) FROM numbers(1)

--- file() in INTERPOLATE
SELECT 1 AS a, '' AS b ORDER BY a WITH FILL TO 3 INTERPOLATE (b AS file('secret'))

--- file() in a union
SELECT '' UNION ALL SELECT file('secret')

--- file() in a CTE
WITH c AS (SELECT file('secret') AS f) SELECT f FROM c

--- file() in IN
SELECT 1 WHERE 'x' NOT IN (SELECT file('secret'))

--- file() in view()
SELECT * FROM view(SELECT file('secret'))

--- file() in EXISTS
SELECT EXISTS(SELECT file('secret'))

--- file() in HAVING
SELECT count() HAVING file('secret') != ''

--- file() in QUALIFY
SELECT 1 QUALIFY row_number() OVER () = 1 AND file('secret') != ''

--- file() in JOIN
SELECT 1 FROM numbers(1) a JOIN numbers(1) b ON a.number = b.number AND file('secret') != ''

--- file() in ARRAY JOIN
SELECT x FROM numbers(1) ARRAY JOIN [file('secret')] AS x

--- file() in a table function
SELECT * FROM numbers(length(file('secret')))

--- file() as table
SELECT * FROM file('secret.csv')

--- DESCRIBE file()
DESCRIBE TABLE file('secret.csv')

--- DESCRIBE of a query
DESCRIBE (SELECT file('secret'))

--- EXPLAIN of file()
EXPLAIN QUERY TREE SELECT file('secret')

--- EXPLAIN SYNTAX of file()
EXPLAIN SYNTAX SELECT * FROM file('secret.csv')

--- path as table
SELECT * FROM `secret.csv`

--- path as string table
SELECT * FROM 'secret.csv'

--- file name as table
SELECT * FROM secret

--- file name after a CTE of that name
SELECT * FROM (WITH secret AS (SELECT 1) SELECT * FROM secret) AS a, secret

--- path in another database
SELECT * FROM default.`secret.csv`

--- path as IN
SELECT (1, 'TOP-SECRET-CONTENT') IN `secret.csv`

--- DESCRIBE a path
DESCRIBE `secret.csv`

--- EXISTS of a path
EXISTS `secret.csv`

--- INTO OUTFILE
SELECT 1 INTO OUTFILE 'stolen_1' FORMAT CSV

--- INTO OUTFILE with stdout
SELECT 1 INTO OUTFILE 'stolen_2' AND STDOUT

--- INTO OUTFILE in SHOW
SHOW TABLES INTO OUTFILE 'stolen_3'

--- INTO OUTFILE in DESCRIBE
DESCRIBE TABLE otel_traces INTO OUTFILE 'stolen_4'

--- INTO OUTFILE in EXISTS
EXISTS TABLE otel_traces INTO OUTFILE 'stolen_5'

--- INTO OUTFILE in EXPLAIN
EXPLAIN SELECT 1 INTO OUTFILE 'stolen_6'

--- merge() over system
SELECT * FROM merge('system', 'databases')

--- merge() over a private database
SELECT * FROM merge('private', '.*')

--- loop()
SELECT * FROM loop('private', 't') LIMIT 1

--- another database
SELECT * FROM private.t

--- another database, quoted
SELECT * FROM "private"."t"

--- another database in IN
SELECT 'TOP-SECRET-CONTENT' IN private.t

--- another database in SHOW
SHOW TABLES FROM private

--- another database in SHOW COLUMNS
SHOW COLUMNS FROM t FROM private

--- another database in SHOW CREATE
SHOW CREATE TABLE private.t

--- another database by mergeTreeIndex
SELECT * FROM mergeTreeIndex(private, t)

--- hasColumnInTable
SELECT hasColumnInTable('private', 't', 'a')

--- system.processes
SELECT query FROM system.processes

--- system.disks
SELECT path FROM system.disks

--- system.server_settings
SELECT * FROM system.server_settings

--- paths of system.databases
SELECT data_path FROM system.databases

--- paths of system.tables
SELECT data_paths FROM system.tables

--- paths by *
SELECT * FROM system.databases

--- paths by COLUMNS
SELECT COLUMNS('path') FROM system.databases

--- paths by NATURAL JOIN
SELECT count() FROM system.databases NATURAL JOIN (SELECT 'default' AS name) AS d

--- paths of system.parts
SELECT path FROM system.parts

--- paths by FROM first
FROM system.databases

--- secrets of table definitions
SELECT create_table_query FROM system.tables

--- KILL QUERY
KILL QUERY WHERE query_id = 'x'

--- SYSTEM
SYSTEM DROP MARK CACHE

--- SET
SET max_threads = 1

--- USE
USE private

--- CREATE TABLE elsewhere
CREATE TABLE private.x (a UInt8) ENGINE = Memory

--- CREATE TABLE in default
CREATE TABLE x (a UInt8) ENGINE = Memory

--- CREATE TEMPORARY TABLE
CREATE TEMPORARY TABLE tt (a UInt8)

--- CREATE with engine File
CREATE TABLE w.f1 (a String) ENGINE = File(LineAsString)

--- CREATE with engine URL
CREATE TABLE w.f2 (a String) ENGINE = URL('http://127.0.0.1:9/x', CSV)

--- CREATE with engine Merge
CREATE TABLE w.f3 (a String) ENGINE = Merge(private, 't')

--- CREATE with engine Buffer
CREATE TABLE w.f4 (a String) ENGINE = Buffer(private, t, 1, 10, 100, 10000, 1000000,
10000000, 100000000)

--- CREATE AS file()
CREATE TABLE w.f5 AS file('secret.csv')

--- CREATE AS another table
CREATE TABLE w.f6 AS private.t

--- CLONE AS another table
CREATE TABLE w.f7 CLONE AS private.t ENGINE = MergeTree ORDER BY a

--- CREATE AS SELECT elsewhere
CREATE TABLE w.f8 ENGINE = Memory AS SELECT * FROM private.t

--- file() as DEFAULT
CREATE TABLE w.f9 (a UInt8, b String DEFAULT file('secret')) ENGINE = Memory

--- file() as ALIAS
CREATE TABLE w.f10 (a UInt8, b String ALIAS file('secret')) ENGINE = Memory

--- file() in TTL SET
CREATE TABLE w.f11 (a UInt8, d Date, b String) ENGINE = MergeTree ORDER BY a TTL d
GROUP BY a SET b = max(file('secret'))

--- file() in CHECK
CREATE TABLE w.f12 (a String, CONSTRAINT c CHECK a != file('secret')) ENGINE = Memory

--- file() in a view
CREATE VIEW w.f13 AS SELECT file('secret')

--- view onto another database
CREATE VIEW w.f14 AS SELECT * FROM private.t

--- view onto a file
CREATE VIEW w.f15 AS SELECT * FROM default.`secret.csv`

--- materialized view into another database
CREATE MATERIALIZED VIEW w.f16 TO private.t AS SELECT b AS a FROM w.t

--- refreshable view
CREATE MATERIALIZED VIEW w.f17 REFRESH EVERY 1 YEAR TO w.t AS SELECT 1 AS a, '' AS b

--- CREATE DICTIONARY
CREATE DICTIONARY w.d (a String) PRIMARY KEY a SOURCE(CLICKHOUSE(DB 'private' TABLE
't')) LAYOUT(FLAT()) LIFETIME(0)

--- CREATE FUNCTION
CREATE FUNCTION f_escape AS x -> file(x)

--- CREATE DATABASE elsewhere
CREATE DATABASE other

--- CREATE DATABASE, engine Filesystem
CREATE DATABASE otel ENGINE = Filesystem('.')

--- INSERT elsewhere
INSERT INTO private.t VALUES ('x')

--- INSERT in default
INSERT INTO replaced VALUES (9, '', 9)

--- INSERT file() as a value
INSERT INTO w.t VALUES (1, file('secret'))

--- INSERT SELECT file()
INSERT INTO w.t SELECT 1, file('secret')

--- INSERT SELECT elsewhere
INSERT INTO w.t SELECT 1, a FROM private.t

--- INSERT SELECT from a file
INSERT INTO w.t SELECT * FROM `secret.csv`

--- INSERT INTO FUNCTION
INSERT INTO FUNCTION file('stolen_7', CSV, 'a UInt8') SELECT 1

--- INSERT FROM INFILE
INSERT INTO w.t FROM INFILE 'secret.csv' FORMAT CSVWithNames

--- ALTER
ALTER TABLE w.t ADD COLUMN c UInt8

--- DELETE
DELETE FROM w.t WHERE 0

--- TRUNCATE
TRUNCATE TABLE w.t

--- RENAME
RENAME TABLE w.t TO w.t2, w.t2 TO w.t

--- OPTIMIZE
OPTIMIZE TABLE w.t

--- DETACH
DETACH TABLE IF EXISTS w.nothing_here

--- DROP
DROP TABLE IF EXISTS w.nothing_here

--- CHECK TABLE
CHECK TABLE w.t

--- second statement
SELECT 1; SELECT file('secret')

--- second statement after a comment
SELECT 1 /* ; */ ; SELECT file('secret')

--- PARALLEL WITH
CREATE TABLE w.p1 (a UInt8) ENGINE = Memory PARALLEL WITH CREATE TABLE private.p2
(a UInt8) ENGINE = Memory

--- additional_table_filters
SELECT 1 FROM numbers(1) SETTINGS additional_result_filter = 'file(\'secret\') != \'\''

--- SETTINGS in a subquery
SELECT * FROM (SELECT 1 SETTINGS log_queries_min_type = 1)

--- formatRow
SELECT formatRow('CSV', file('secret'))

--- server settings
SELECT getServerSetting('max_server_memory_usage')

--- host name
SELECT hostName()

--- symbols
SELECT addressToSymbol(toUInt64(1))

--- free disk
SELECT filesystemAvailable()

--- sleep
SELECT sleep(0.01)

--- dictionaries
SELECT * FROM system.dictionaries

--- SHOW PROCESSLIST
SHOW PROCESSLIST

--- SHOW CLUSTERS
SHOW CLUSTERS

--- format of the process itself
SELECT 1 FORMAT MySQLWire

--- python objects
SELECT * FROM Python(exposed)

--- file() as ALIAS in a structure
SELECT a FROM values('x UInt8, a String ALIAS file(\'secret\')', (1))

--- file() as ALIAS in a structure, in brackets
SELECT a FROM values('x UInt8, a ALIAS (file(\'secret\'))', (1))

--- file() as DEFAULT in a structure
SELECT * FROM values('x UInt8, a String DEFAULT file(\'secret\')', (1, ''))

--- file() as ALIAS in generateRandom
SELECT a FROM generateRandom('x UInt8, a String ALIAS file(\'secret\')') LIMIT 1

--- file() as a value of values()
SELECT a FROM values('a String', (file('secret')))
