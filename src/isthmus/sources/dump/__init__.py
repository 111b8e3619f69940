"""Folders that mongodump writes, plain or gzipped."""
