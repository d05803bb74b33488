"""The verbs of several steps: read, check, do, write."""
