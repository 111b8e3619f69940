"""What a mapping states about the values of its tables, and whether they are so."""
