"""Bounded edits of an agent's configuration: engines, scans, memory."""
