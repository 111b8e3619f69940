"""Makers of test data. Nothing here imports isthmus: a fault there must not be able to hide in its own test data."""
