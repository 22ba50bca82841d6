"""Versioned configurations: canary, live check, roll-back."""
