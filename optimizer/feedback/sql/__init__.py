"""Statements of `spanloop.optimizer.feedback`."""
