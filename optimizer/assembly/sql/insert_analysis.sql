-- The cursor of the next assembly.
-- Parameters: {id:String}, {started:DateTime64(3)}, {cursor:DateTime64(3)}, {traces:UInt64}, {trajectories:UInt64}, {closed:UInt64}.
INSERT INTO {{ table('analyses') }} (AnalysisId, Stage, StartedAt, FinishedAt, Cursor, Counts)
SELECT {id:String}, 'assembly', {started:DateTime64(3)}, now64(3), {cursor:DateTime64(3)},
    map('traces', {traces:UInt64}, 'trajectories', {trajectories:UInt64}, 'closed', {closed:UInt64})
