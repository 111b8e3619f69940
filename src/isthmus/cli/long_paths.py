"""Paths of hundreds of steps, cut in their middle for people; the JSON keeps them whole. Pure."""

from __future__ import annotations

import re

_LONGEST = 80
_FIRST, _LAST = 40, 20
_OFFSET = re.compile(r"\.? \(offset (\d+)\)\.?$")


def short_path(path: str) -> str:
    """Return a path of a document with its middle left out where it is long: `a.b.….y.z`."""
    if len(path) <= _LONGEST:
        return path
    first, last = path[:_FIRST].rpartition(".")[0], path[-_LAST:].partition(".")[2]
    return f"{first or path[:_FIRST]}.….{last or path[-_LAST:]}"


def short_message(message: str, path: str) -> str:
    """Return what is said of a path, with that cut too and one full stop behind the offset that the core adds."""
    if path and path != short_path(path):
        message = message.replace(path, short_path(path))
    return _OFFSET.sub(r" (offset \1).", message)
