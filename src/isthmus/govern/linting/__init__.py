"""Dangerous DDL, as squawk finds it."""
