"""Writing migrations: the next one with its header, and its entry in a journal."""
