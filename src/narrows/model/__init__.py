"""What is learned: torch only; no files, no printing."""
