-- Projects that sent something in the time shown. Rows: project.
SELECT DISTINCT Project FROM otel_traces WHERE $__timeFilter(Timestamp) ORDER BY Project
