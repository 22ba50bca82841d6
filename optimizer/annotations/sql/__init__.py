"""Statements of `spanloop.optimizer.annotations`."""
