"""Tables: their files and frames, what is noticed about them, and numbers for their cells."""
