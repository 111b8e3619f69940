"""A copy into tables that exist, taken back: rows that copies brought and that nobody has written to since."""
