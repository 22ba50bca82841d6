-- Strata that are known beforehand: {strata:Array(String)} of {trajectories:Array(String)}.
INSERT INTO {{ table('trajectory_strata') }}
SELECT told.1, told.2 FROM (SELECT arrayJoin(arrayZip({trajectories:Array(String)}, {strata:Array(String)})) AS told)
