-- Traces read, trajectories written, trajectories closed for idleness.
SELECT
    (SELECT count() FROM {{ table('assembly_mapping') }}),
    (SELECT uniqExact(N) FROM {{ table('assembly_members') }}),
    (SELECT count() FROM {{ table('assembly_idle') }})
