"""Statements behind the commands that show what an analysis found."""
