"""Statements of `spanloop.optimizer.releases`."""
