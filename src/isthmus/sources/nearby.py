"""What could be read in a folder that a person may have meant, where the path that was given is no source."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from isthmus.sources.archive.opening import is_archive
from isthmus.sources.shown import shown
from isthmus.work.listed import listed

_LOOKED_AT = 200  # entries of a folder: a hint is not worth more
_NAMED = 5


def said_nearby(folder: Path) -> str:
    """Return a sentence that names the dumps and archives directly in a folder, with a blank before it; empty for none.

    Looks at names, and at the first bytes of files.
    """
    try:
        entries = sorted(islice(folder.iterdir(), _LOOKED_AT))
    except OSError:
        return ""
    found = [shown(path) for path in entries if _could_be_read(path)]
    if not found:
        return ""
    return f" What can be read there: {listed(found, _NAMED)}."


def _could_be_read(path: Path) -> bool:
    try:
        if not path.is_dir():
            return path.is_file() and is_archive(path)
        entries = list(islice(path.iterdir(), _LOOKED_AT))
        return any(_is_data(one) for one in entries) or any(
            _is_data(inner) for one in entries if one.is_dir() for inner in islice(one.iterdir(), _LOOKED_AT)
        )
    except OSError:
        return False


def _is_data(path: Path) -> bool:
    return path.name.endswith((".bson", ".bson.gz")) and not path.name.startswith(".")
