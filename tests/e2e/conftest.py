"""The built Collector, for the tests of this folder."""

from tests.support.collector import otelcol

__all__ = ["otelcol"]
