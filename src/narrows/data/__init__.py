"""Data on its way in: a path, a name or an array becomes samples, then batches. `write` is the way out."""
