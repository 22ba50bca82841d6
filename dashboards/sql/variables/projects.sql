-- Projects that an analysis has seen. Rows: project.
SELECT DISTINCT Project FROM trajectories ORDER BY Project
