"""The command `heard`: thin commands over the use cases. Exit code 2 for wrong use, 1 for failure."""

from service.cli.main import app, main

__all__ = ["app", "main"]
