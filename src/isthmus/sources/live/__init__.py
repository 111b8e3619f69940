"""Running MongoDB servers."""
