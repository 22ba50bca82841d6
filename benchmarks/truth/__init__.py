"""Does it find what is true? Measured on recorded runs with ground truth (``python -m benchmarks.truth``)."""
