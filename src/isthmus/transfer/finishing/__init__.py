"""Finish: keys, duplicates, orphans, look-ups, junctions and indexes, once everything is loaded."""
