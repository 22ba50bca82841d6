"""What a span means: GenAI dialects, span classes, canonical columns, prices, redaction."""
