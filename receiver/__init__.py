"""OTLP in: gRPC and HTTP servers, validation, write-ahead log, back-pressure, health."""
