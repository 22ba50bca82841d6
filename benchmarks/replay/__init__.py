"""Is a world of tapes true? Self-replay, cross-trial replay, what leaving the tape means, derivation."""
