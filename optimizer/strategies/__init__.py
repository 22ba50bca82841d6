"""What fixed what: evidence, choice, transfer."""
