"""The built Jaeger, for the tests of this folder."""

from tests.support.jaeger import jaeger

__all__ = ["jaeger"]
