"""The ``spanloop`` command."""

from spanloop.service.cli.main import main

__all__ = ["main"]
