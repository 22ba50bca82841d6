"""Statements of `spanloop.optimizer.strategies`."""
