"""Statements of `spanloop.optimizer.experiments`."""
