"""Archives of `mongodump --archive`, plain or gzipped."""
