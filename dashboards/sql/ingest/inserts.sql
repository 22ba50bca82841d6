-- Segments of the write-ahead log that the database stored. Rows: time, signal, segments; by time.
SELECT $__timeInterval(ArrivedAt) AS time, toString(Signal) AS Signal, uniqExact(BatchId) AS Value
FROM batch_arrivals
WHERE $__timeFilter(ArrivedAt)
GROUP BY time, Signal
ORDER BY time, Signal
