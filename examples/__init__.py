"""A small, really instrumented agent and a scripted model server, for the demo and the end-to-end tests."""
