"""Statements of `spanloop.optimizer.cycle`."""
