"""Checks between the rules of a mapping, behind reading and before anything is made of it."""
