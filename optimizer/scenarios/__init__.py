"""Situations taken from production that can be played again."""
