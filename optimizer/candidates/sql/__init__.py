"""Statements of `spanloop.optimizer.candidates`."""
