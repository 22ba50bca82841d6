"""What users, reviewers and programs said of a trajectory becomes `assessments`."""
