-- Where each arrived trace belongs: last, so that a repeat after a crash finds what it replaces. Parameter: {version:UInt64}.
INSERT INTO {{ table('trajectory_traces') }}
SELECT TraceId, TrajectoryId, Project, Basis, ConversationId, HistoryKey, Start, End, {version:UInt64}
FROM {{ table('assembly_members') }} WHERE Mapped
