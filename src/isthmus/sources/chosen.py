"""The collection a caller names: found among those of a source, or refused with the name that was probably meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from isthmus.errors import SourceError, Where
from isthmus.sources.nearest import nearest
from isthmus.sources.protocol import CollectionInfo
from isthmus.sources.shown import shown


class _Listed(Protocol):
    @property
    def info(self) -> CollectionInfo: ...


_Found = TypeVar("_Found", bound=_Listed)


def readable(found: Mapping[str, _Found], collection: str, source: str, file: str | None = None) -> _Found:
    """Return the collection of this name that may be read.

    Args:
        found: What the source lists, by name.
        collection: The name.
        source: What is read, in words.
        file: Names the source in errors, where it is a file or folder.

    Raises:
        SourceError: There is none (`unknown-collection`), or a rule leaves it out (`collection-not-read`).
    """
    one = found.get(collection)
    where = Where(file=file, collection=collection)
    if one is None:
        near = nearest(collection, found)
        hint = f"Did you mean {shown(near)}?" if near is not None else None
        raise SourceError(
            f"The {source} has no collection {shown(collection)}.", code="unknown-collection", where=where, hint=hint
        )
    if one.info.rule is not None:
        raise SourceError(
            f"The collection {shown(collection)} is not read: {one.info.rule}",
            code="collection-not-read",
            where=where,
            hint="Take it out of the mapping.",
        )
    return one
