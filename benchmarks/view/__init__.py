"""What it costs to look at traces in a Jaeger whose storage is spanloop."""
