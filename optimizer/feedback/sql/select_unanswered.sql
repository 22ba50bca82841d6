-- One row: how many results name nothing but a response id, and the days that their calls can be of (up to a week before).
SELECT count(), min(Timestamp) - toIntervalDay(7), max(Timestamp) + toIntervalDay(1)
FROM {{ table('feedback_found') }}
WHERE Carrier = 'log' AND TraceId = '' AND Attributes['gen_ai.response.id'] != ''
