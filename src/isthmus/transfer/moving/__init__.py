"""Is it still the same source: before a copy goes on, while it works, and when everything is loaded."""
