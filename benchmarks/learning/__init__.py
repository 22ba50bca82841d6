"""Does knowledge make the next cycle cheaper? A simulated world in which the truth is known."""
