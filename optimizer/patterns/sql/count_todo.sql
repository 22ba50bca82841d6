-- How many trajectories pattern_todo holds.
SELECT count() FROM {{ table('pattern_todo') }}
