"""The command line."""

from narrows.cli.app import main

__all__ = ["main"]
