-- When something last happened (the newest conversation of production had ended, an analysis or a stage of a cycle ended or
-- began), and when the newest whole analysis came to its end; in Unix milliseconds.
--
-- Rows: one; traffic_ms is 0 without a conversation, analysed_ms NULL without an analysis.
SELECT
    (SELECT max(toUnixTimestamp64Milli(End)) FROM {{ table('trajectories') }} FINAL WHERE RunId = '') AS traffic_ms,
    greatest(
        traffic_ms, ifNull(analysed_ms, 0),
        (SELECT max(toUnixTimestamp64Milli(ifNull(FinishedAt, StartedAt))) FROM {{ table('cycles') }} FINAL)) AS until_ms,
    (SELECT maxOrNull(toUnixTimestamp64Milli(FinishedAt)) FROM {{ table('analyses') }} WHERE Stage = '') AS analysed_ms
