"""What people look at: figures, pages, and the explorer."""
