"""What the loop costs beside its models, what it does at once, and what kill -9 leaves of it."""
