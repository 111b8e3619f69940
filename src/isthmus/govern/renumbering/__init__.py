"""New numbers for migrations that are in no base and not applied."""
