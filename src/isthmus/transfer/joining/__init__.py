"""Documents that are one thing (`on_duplicate: merge`): who is one, and their rows joined."""
