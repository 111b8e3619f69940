"""Rows for tables that are empty: from a file of the user's, or made from what the catalog says of a table."""
