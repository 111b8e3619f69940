"""Connections: target addresses, the embedded PostgreSQL server, and secrets kept out of every text.

Decides how an address becomes a connection string. What is done over a connection is left to others.
"""
