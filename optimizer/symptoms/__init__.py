"""What looks wrong in a trajectory, and at which step."""
