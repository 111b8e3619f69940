"""What people show of themselves, wherever it stands."""
