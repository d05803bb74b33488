"""What people look at: pictures, pages, tables on a page."""
