"""From spans to knowledge: trajectories, satisfaction, failure patterns.

Statements do what touches every trajectory (``<stage>/sql/*.sql``); Python sees what a statement selected.
`spanloop.optimizer.analysis` runs the stages in order.
"""
