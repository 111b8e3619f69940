"""References of the target: where they stand, what they point at, and what the ledgers say of those that do not."""
