-- The days of the traces at hand, {first:UInt32} to {last:UInt32}.
INSERT INTO {{ table('assembly_days') }}
SELECT DISTINCT toDate(arrayJoin(range(toUInt16(FirstDay), toUInt16(LastDay) + 1)))
FROM (
    SELECT DISTINCT toDate(Start) AS FirstDay, toDate(End) AS LastDay FROM {{ table('assembly_members') }}
    WHERE N BETWEEN {first:UInt32} AND {last:UInt32}
)
