"""The built Collector and Jaeger, for the tests of this folder."""

from tests.support.collector import otelcol
from tests.support.jaeger import jaeger

__all__ = ["jaeger", "otelcol"]
