-- trajectory_labels: what people said about trajectories and what came of them: assessments that say something about
-- satisfaction, each at the trajectory that holds its trace or has its conversation id. One row per assessment and trajectory.
-- What was said about runs of experiments is left out: it must not move what is known of production.
CREATE VIEW IF NOT EXISTS {{ table('trajectory_labels') }} {{ on_cluster }} AS
WITH judged AS (
    SELECT AssessmentId, Project, TraceId, ConversationId, assumeNotNull(Satisfied) AS Known, Source, Selection,
        SelectionProbability, SampleId, Assessor, Timestamp
    FROM {{ table('assessments') }} FINAL
    WHERE Source IN ('feedback', 'label', 'outcome') AND Satisfied IS NOT NULL
)
SELECT TrajectoryId, Known AS Satisfied, Source, Selection, SelectionProbability, SampleId, Assessor, Timestamp, AssessmentId
FROM (
    SELECT told.TrajectoryId AS TrajectoryId, judged.*
    FROM (
        SELECT Project, TraceId, TrajectoryId FROM {{ table('trajectory_traces') }} FINAL
        WHERE Basis != 'run' AND TraceId IN (SELECT TraceId FROM judged WHERE TraceId != '')
    ) AS told
    INNER JOIN judged ON judged.Project = told.Project AND judged.TraceId = told.TraceId
    UNION DISTINCT
    SELECT told.TrajectoryId AS TrajectoryId, judged.*
    FROM (
        SELECT Project, ConversationId, TrajectoryId FROM {{ table('trajectories') }} FINAL
        WHERE RunId = '' AND ConversationId IN (SELECT ConversationId FROM judged WHERE ConversationId != '')
    ) AS told
    INNER JOIN judged ON judged.Project = told.Project AND judged.ConversationId = told.ConversationId
)
