-- How many trajectories there are, about (rows that merges have yet to collapse count twice).
SELECT count() FROM {{ table('trajectories') }}
