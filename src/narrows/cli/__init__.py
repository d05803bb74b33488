"""The command line: arguments in, lines out."""

from narrows.cli.app import main

__all__ = ["main"]
