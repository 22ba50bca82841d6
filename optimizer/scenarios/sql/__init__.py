"""Statements of `spanloop.optimizer.scenarios`."""
