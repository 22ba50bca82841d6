-- Names of a service's spans, each with its kind as Jaeger writes it.
-- Parameters: service String; kind String, '' for all; most UInt64. Order: name, kind.
SELECT DISTINCT SpanName, if(SpanKind = 'Unspecified', '', lower(SpanKind)) AS Kind
FROM {{ table(traces) }}
WHERE ServiceName = {service:String} AND ({kind:String} = '' OR Kind = {kind:String})
ORDER BY SpanName, Kind
LIMIT {most:UInt64}
