"""Taking over what another runner applied: its history read, held against the files, recorded as a baseline."""
