"""Trying migrations and their rollbacks on a scratch database, before they meet one that counts."""
