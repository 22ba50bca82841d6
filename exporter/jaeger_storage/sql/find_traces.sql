-- The newest traces with a matching span that starts in a window of time. Parameters: start, end Int64, nanoseconds since 1970, end not
-- included; found Array(String), ids that newer windows gave; most UInt64; and those of the conditions, which search.py writes.
-- Order: the newest matching span first. Each list of conditions is read by itself, so that each can use its own indexes.
{%- macro matching(conditions) %}
    SELECT TraceId, Timestamp
    FROM {{ table(traces) }}
    WHERE Timestamp >= fromUnixTimestamp64Nano({start:Int64}) AND Timestamp < fromUnixTimestamp64Nano({end:Int64})
        AND TraceId != '' AND TraceId NOT IN {found:Array(String)}{{ conditions }}
{%- endmacro %}
SELECT TraceId
FROM (
{{- matching(first) }}
{%- if second %}
    UNION ALL
{{- matching(second) }}
{%- endif %}
)
GROUP BY TraceId
ORDER BY max(Timestamp) DESC, TraceId
LIMIT {most:UInt64}
