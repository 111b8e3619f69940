"""Bringing a database to what the migrations say: scripts from files, their standing in a history, their execution."""
