"""Command line, configuration and composition root: the only place that reads config and builds clients."""
