"""The tasks: plain functions of a network and data."""
