"""The explorer: an interactive map as one HTML page."""
