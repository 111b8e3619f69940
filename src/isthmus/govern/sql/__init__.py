"""SQL as text: where statements end, and what they begin with. Pure."""
