"""Recurring failures: contrast within strata, predicates, identity over time."""
