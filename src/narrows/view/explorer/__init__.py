"""The explorer: a map as one page to walk in."""
