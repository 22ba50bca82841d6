"""Statements of `spanloop.optimizer.judging`."""
