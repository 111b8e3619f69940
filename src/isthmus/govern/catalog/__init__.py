"""What a database holds of its users' objects, as the server prints it, and what differs between two such pictures."""
