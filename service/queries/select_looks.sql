-- The looks of one experiment, in order.
--
-- Parameters: id:String.
SELECT Sequence AS sequence, Generation AS generation, Closed AS closed, EValue AS e_value, Decision AS decision, LookedAt AS looked
FROM {{ table('holdout_ledger') }}
WHERE ExperimentId = {id:String}
ORDER BY Closed, LookedAt
LIMIT 1 BY LookId
