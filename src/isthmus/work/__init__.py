"""What long work of any kind needs: numbers while it goes on, patience, a bound on memory, the user's stop."""
