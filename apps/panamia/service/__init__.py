"""Pana MIA's service: one application over PostgreSQL and MongoDB, while what it has moves from one to the other."""
