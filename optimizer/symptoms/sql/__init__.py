"""Statements of `spanloop.optimizer.symptoms`."""
