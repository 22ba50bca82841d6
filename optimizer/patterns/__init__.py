"""Failure patterns: predicates that go with dissatisfaction, who shows them, and where it began."""

from spanloop.optimizer.patterns.finding import PatternResult, find_patterns

__all__ = ["PatternResult", "find_patterns"]
