"""How fast new failures become scenarios and old ones retire (``python -m benchmarks.evolve``)."""
