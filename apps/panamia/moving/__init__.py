"""Pana MIA's move, phase by phase: which there are, how each stands, and what may be done next."""
