"""How good it is, with the plain methods beside it."""
