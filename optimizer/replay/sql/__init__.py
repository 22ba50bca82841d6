"""Statements of `spanloop.optimizer.replay`."""
