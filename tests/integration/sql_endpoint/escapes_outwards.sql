Statements that must be refused by the guard, not for want of a network, a server or an object.

--- own disk
CREATE TABLE w.f18 (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type
= local, path = 'stolen_disk/')

--- GRANT
GRANT ALL ON *.* TO default

--- CREATE USER
CREATE USER mallory

--- paths by column aliases
SELECT c FROM system.databases AS d(a, b, c)

--- url()
SELECT * FROM url('http://127.0.0.1:9/x', CSV, 'a String')

--- s3()
SELECT * FROM s3('http://127.0.0.1:9/b/x.csv', NOSIGN, CSV, 'a String')

--- remote()
SELECT * FROM remote('127.0.0.1:9', system.one)

--- mysql()
SELECT * FROM mysql('127.0.0.1:9', 'a', 'b', 'c', 'd')

--- executable()
SELECT * FROM executable('x.sh', TSV, 'a String')

--- cluster()
SELECT * FROM cluster('default', system.one)

--- EXPLAIN TABLE OVERRIDE
EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:9','a','b','c','d') COLUMNS (a UInt8)

--- dictGet
SELECT dictGet('d', 'a', 1)

--- joinGet
SELECT joinGet('private.t', 'a', 'x')

--- BACKUP
BACKUP TABLE private.t TO Disk('backups', 'x')

--- ATTACH
ATTACH TABLE w.att FROM 'x' (a UInt8) ENGINE = MergeTree ORDER BY a

--- eval()
SELECT * FROM eval('SELECT 1')

--- AI functions
SELECT aiGenerate('x')

--- catboost
SELECT evalMLMethod(1, 2)

--- file schema
SELECT 1 FORMAT Protobuf SETTINGS format_schema = 'secret:X'

--- template
SELECT 1 FORMAT Template SETTINGS format_template_row = 'secret'

--- dialect
SELECT 1 SETTINGS dialect = 'prql'

--- implicit table
SELECT * SETTINGS implicit_table_at_top_level = 'secret'

--- zookeeper
SELECT * FROM system.zookeeper WHERE path = '/'

--- unknown function
SELECT no_such_function(1)

--- certificates
SELECT showCertificate()

--- macros
SELECT getMacro('x')

--- RESTORE
RESTORE TABLE private.t FROM File('x')

--- KILL MUTATION
KILL MUTATION WHERE 0

--- parametrised view
SELECT * FROM some_view(a = 1)

--- filesystem()
SELECT * FROM filesystem('.')

--- file() as ALIAS in a structure that is put together
SELECT a FROM values(concat('x UInt8, a String ALI', 'AS file(\'secret\')'), (1))
