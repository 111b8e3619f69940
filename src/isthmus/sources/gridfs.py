"""Which collections are a GridFS bucket: files cut into chunks, in two collections whose names say so.

They are collections like any other and are carried as a mapping says; that they belong together is only named.
"""

from __future__ import annotations

from collections.abc import Iterable

_FILES, _CHUNKS = ".files", ".chunks"


def buckets(names: Iterable[str]) -> list[str]:
    """Return the buckets among collections: `fs` where there are `fs.files` and `fs.chunks`; sorted."""
    known = set(names)
    found = (name.removesuffix(_FILES) for name in known if name.endswith(_FILES))
    return sorted(bucket for bucket in found if bucket and bucket + _CHUNKS in known)
