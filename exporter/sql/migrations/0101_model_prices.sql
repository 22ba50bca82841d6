-- model_prices: USD per token by model, loaded at start from spanloop.processor.prices; the view asks it with joinGet.
-- A Join table is a hash table in memory, backed by a file: one look-up is 0.07 µs, and it needs neither a reload nor the
-- credentials a dictionary would (each server of a cluster is loaded by itself). Key = provider/model, /model where any
-- provider will do. Usd = input, output, cache read, cache write, and the same four above 200,000 input tokens; NULL = unknown.
CREATE TABLE IF NOT EXISTS {{ table('model_prices') }} {{ on_cluster }} (
    Key String,
    Usd Array(Nullable(Float64)),
    Origin LowCardinality(String)
) ENGINE = Join(ANY, LEFT, Key)
SETTINGS join_any_take_last_row = 1
