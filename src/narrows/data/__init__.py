"""What enters: a path, a name or an array becomes samples, then batches."""
