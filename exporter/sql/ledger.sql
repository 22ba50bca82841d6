-- spanloop_migrations: which statements of the schema were applied, and the digest of their text.
CREATE TABLE IF NOT EXISTS {{ table('spanloop_migrations') }} {{ on_cluster }} (
    Path String,
    Digest String,
    AppliedAt DateTime64(6) DEFAULT now64(6)
) ENGINE = {{ merge_tree('spanloop_migrations') }}
ORDER BY (Path, AppliedAt)
