"""Writes the reference pages that are made from the code. See `__main__`."""
