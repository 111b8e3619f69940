"""Hours that people agree on."""
