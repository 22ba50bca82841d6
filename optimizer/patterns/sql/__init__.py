"""Statements of `spanloop.optimizer.patterns`."""
