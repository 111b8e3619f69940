"""What people let others have by the day: made, changed, shown, and found."""
