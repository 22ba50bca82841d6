"""Statements of `spanloop.optimizer.satisfaction`."""
