"""What becomes of everything that two databases hold of a person who is deleted."""
