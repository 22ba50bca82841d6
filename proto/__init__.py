"""Wire contracts that are ours to carry."""
