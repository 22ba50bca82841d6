"""Statements of `spanloop.optimizer.assembly`."""
