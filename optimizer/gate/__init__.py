"""Decides from paired outcomes; pure."""
