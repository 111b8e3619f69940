"""The checksum: every row of every table, what the source gives against what the target holds.

Both sides are folded into sums by the core, cell by cell; where sums differ, a second look names rows and columns.
"""
