"""Isthmus's own tables in the target: the schema `isthmus`, its migrations and its named statements.

State decides nothing about documents. It remembers: runs and their lease, partitions and their checkpoints, dead
letters, orphans, adjustments, ids. Everything is written inside the caller's transaction unless a function says
otherwise.
"""
