"""Tests of whole sessions of `isthmus copy` on the troubled database."""

from tests.fix_copies import copy, make_copy, unkilled, world

__all__ = ["copy", "make_copy", "unkilled", "world"]
