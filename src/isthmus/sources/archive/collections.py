"""Which collections of an archive are read: names, kinds and rules, the same as for the folder mongodump writes.

Pure: what the prelude says and where documents stand in, collections out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from isthmus.errors import SourceError, Where
from isthmus.sources.archive.format import Description
from isthmus.sources.archive.index import Extent
from isthmus.sources.dump.folder import BUCKETS, kind_and_rule, options_and_indexes, parse_metadata
from isthmus.sources.protocol import CollectionInfo
from isthmus.sources.shown import shown


@dataclass(frozen=True, slots=True)
class ArchivedCollection:
    """One collection of an archive.

    Attributes:
        info: As `Source.collections` lists it.
        extent: Where its documents stand.
        listed: Whether the prelude alone says that it is read; does not depend on where an archive breaks.
    """

    info: CollectionInfo
    extent: Extent
    listed: bool


def describe(
    descriptions: Iterable[Description], extents: dict[str, Extent], file: str
) -> dict[str, ArchivedCollection]:
    """Join what the prelude says of one database's collections with where their documents stand.

    Args:
        descriptions: Those of the database.
        extents: By collection; also of collections that the prelude does not name.
        file: The archive, for messages.

    Returns:
        Collections by name, sorted.

    Raises:
        SourceError: A collection is described twice (`ambiguous-collection`), or its description is no JSON
            (`metadata-broken`).
    """
    metadata: dict[str, dict[str, object]] = {}
    for one in descriptions:
        if one.name in metadata:
            raise SourceError(
                f"The archive describes collection {shown(one.name)} twice, so it is unclear which one counts.",
                code="ambiguous-collection",
                where=Where(file=file, collection=one.name),
                hint="Make the archive again.",
            )
        metadata[one.name] = _metadata(one, file)
    found: dict[str, ArchivedCollection] = {}
    for name in sorted({*metadata, *extents}):
        if name.startswith(BUCKETS) and name.removeprefix(BUCKETS) in metadata:
            continue
        extent = extents.get(name, Extent())
        if not extent.size and BUCKETS + name in extents:
            extent = extents[BUCKETS + name]
        found[name] = _collection(name, metadata.get(name, {}), extent, listed=name in metadata)
    return found


def _collection(name: str, metadata: dict[str, object], extent: Extent, *, listed: bool) -> ArchivedCollection:
    options, indexes = options_and_indexes(metadata)
    # For a view there is an end block without documents, for every other collection at least that.
    is_view = metadata.get("type") == "view" or "viewOn" in options
    kind, rule = kind_and_rule(name, metadata, options, has_data=extent.size > 0 or not is_view)
    # The checksum of no documents is 0; another one says that there were some.
    ended = extent.checksum is not None and (extent.size > 0 or extent.checksum == 0)
    documents = extent.documents if ended else None
    # What a damaged archive has nothing of is not empty.
    total = extent.size if ended or extent.size else None
    info = CollectionInfo(name, kind, total, documents, indexes, options, rule, bytes_exact=ended)
    return ArchivedCollection(info, extent, listed and rule is None and not is_view)


def _metadata(one: Description, file: str) -> dict[str, object]:
    """Read a description's JSON; a view without any was dumped as a collection (`--viewsAsCollections`)."""
    try:
        metadata = parse_metadata(one.metadata)
    except (ValueError, RecursionError) as error:
        raise SourceError(
            f"What the archive says of collection {shown(one.name)} is no JSON: {error}",
            code="metadata-broken",
            where=Where(file=file, collection=one.name),
            hint="The archive is damaged; get it or make it again.",
        ) from error
    return {"type": one.kind, **metadata} if metadata or one.kind == "timeseries" else metadata
