"""Definitions of the target's objects: as its catalog has them, and as the mapping wants them."""
