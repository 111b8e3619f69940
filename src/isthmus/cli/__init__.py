"""The command line: one command per file, each parses, calls, prints and returns a code.

Nothing here decides about data. Heavy imports stand inside the commands, so that `isthmus --help` answers at once.
"""
