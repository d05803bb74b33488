"""How it is learned, fast."""
