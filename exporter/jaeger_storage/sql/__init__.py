"""Statements that read traces for Jaeger, one a file."""
