"""Spans become trajectories and their steps."""
