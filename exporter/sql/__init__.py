"""SQL of the store: one statement a file, rendered by ``spanloop.exporter.render``."""
