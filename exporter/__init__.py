"""Out: the ClickHouse store, its schema and migrations, inserts that count, the SQL endpoint."""
