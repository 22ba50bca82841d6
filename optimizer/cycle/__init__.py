"""The loop and its budget."""
