"""Plays a scenario under a configuration: tool world, users, targets."""
