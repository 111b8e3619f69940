"""Chaos tests copy the troubled database, disturb the copy, let it go on, and compare with an undisturbed one."""

from tests.chaos.measured import measured
from tests.fix_copies import copy, make_copy, unkilled, world

__all__ = ["copy", "make_copy", "measured", "unkilled", "world"]
