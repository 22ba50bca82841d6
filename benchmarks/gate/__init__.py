"""Does the gate ship what is better, and nothing else? Cells and constants are fixed by definition."""
