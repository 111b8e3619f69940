"""How a copy begins: what can refuse it, whose run it is, the tables made or dropped."""
