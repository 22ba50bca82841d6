-- The traces of the trajectories {first:UInt32} to {last:UInt32}.
INSERT INTO {{ table('assembly_chunk') }}
SELECT TraceId, N FROM {{ table('assembly_members') }} WHERE N BETWEEN {first:UInt32} AND {last:UInt32}
