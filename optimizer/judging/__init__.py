"""A model as judge: sampled where it tells most, budgeted, cached, its noise measured."""
