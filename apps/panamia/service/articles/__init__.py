"""What people write, and who helps them."""
