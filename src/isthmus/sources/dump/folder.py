"""What a mongodump folder holds: which files belong to which collection, and which of them are documents to carry.

Decides names, kinds and rules from file names and metadata; opens no `.bson` file. File naming follows mongodump
(mongo-tools, `mongodump/prepare.go` and `metadata_dump.go`): names are percent-encoded like a URL path, names longer
than 238 bytes are cut and end in `%24` and a hash (the metadata's `collectionName` has the whole name), and the data
of a time-series collection stands in `system.buckets.NAME.bson`.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import unquote

from isthmus.errors import SourceError, Where
from isthmus.sources.gzip_stream import inflated_size
from isthmus.sources.protocol import CollectionInfo, CollectionKind
from isthmus.sources.shown import printable, shown

_MAX_METADATA_BYTES = 64 * 1024 * 1024
_DATA_ENDINGS = (".bson", ".bson.gz")
_METADATA_ENDINGS = (".metadata.json", ".metadata.json.gz")
BUCKETS = "system.buckets."
"""Begins the name under which the data of a time-series collection stands."""

_ROOT_FILES = frozenset({"oplog.bson", "oplog.bson.gz", "prelude.json", "prelude.json.gz"})


@dataclass(frozen=True, slots=True)
class DumpedCollection:
    """One collection and its files.

    Attributes:
        info: As `Source.collections` lists it.
        path: The `.bson` or `.bson.gz` file; None when the dump has no data file for it.
        compressed: Whether `path` is gzipped.
    """

    info: CollectionInfo
    path: Path | None
    compressed: bool


@dataclass(slots=True)
class _Files:
    data: Path | None = None
    metadata: Path | None = None


def holds_collections(folder: Path) -> bool:
    """Whether files of dumped collections lie directly in `folder`."""
    return any(_stem(path.name) is not None for path in folder.iterdir() if path.is_file())


def databases(root: Path) -> list[str]:
    """Return the names of the database folders in a dump's root folder, sorted."""
    return sorted(path.name for path in root.iterdir() if path.is_dir() and holds_collections(path))


def list_collections(folder: Path, *, past_metadata: bool = False) -> dict[str, DumpedCollection]:
    """Read names and metadata of every collection in one database's folder.

    Args:
        folder: The folder.
        past_metadata: Whether a collection with data whose metadata cannot be read is listed all the same, with the
            reason as its `fault`.

    Returns:
        Collections by name, sorted.

    Raises:
        SourceError: two files claim one collection (`ambiguous-collection`), or a metadata file cannot be read
            (`metadata-broken`).
    """
    files = _group(folder)
    metadata: dict[str, dict[str, object]] = {}
    faults: dict[str, str] = {}
    for stem, one in files.items():
        try:
            metadata[stem] = _read_metadata(one.metadata)
        except SourceError as fault:
            if not past_metadata or one.data is None:
                raise
            metadata[stem] = {}
            faults[stem] = fault.message
    found: dict[str, DumpedCollection] = {}
    for stem in sorted(files):
        name = _name(stem, metadata[stem])
        buckets = files.get(BUCKETS + stem)
        if name.startswith(BUCKETS) and stem.removeprefix(BUCKETS) in files:
            continue
        one = _collection(
            name, files[stem], metadata[stem], buckets.data if buckets is not None else None, faults.get(stem)
        )
        if name in found:
            message = f"Two files of this dump are both collection {shown(name)}."
            raise SourceError(message, code="ambiguous-collection", where=Where(file=shown(folder), collection=name))
        found[name] = one
    return dict(sorted(found.items()))


def _group(folder: Path) -> dict[str, _Files]:
    files: dict[str, _Files] = {}
    for path in sorted(folder.iterdir()):
        stem = _stem(path.name) if path.is_file() else None
        if stem is None:
            continue
        one = files.setdefault(stem, _Files())
        is_data = path.name.endswith(_DATA_ENDINGS)
        other = one.data if is_data else one.metadata
        if other is not None:
            raise SourceError(
                f"{shown(other.name)} and {shown(path.name)} stand side by side and may differ, so it is unclear which"
                " one counts.",
                code="ambiguous-collection",
                where=Where(file=shown(folder)),
                hint="Move one of the two out of the folder.",
            )
        if is_data:
            one.data = path
        else:
            one.metadata = path
    return files


def _stem(name: str) -> str | None:
    """Return the file name without its ending when it belongs to a collection, else None."""
    if name in _ROOT_FILES or name.startswith("."):
        return None
    for ending in (*_METADATA_ENDINGS, *_DATA_ENDINGS):
        if name.endswith(ending) and len(name) > len(ending):
            return name.removesuffix(ending)
    return None


def _name(stem: str, metadata: dict[str, object]) -> str:
    stated = metadata.get("collectionName")
    if isinstance(stated, str) and stated:
        return stated
    return unquote(printable(stem), errors="replace")


def _collection(
    name: str, files: _Files, metadata: dict[str, object], buckets: Path | None, fault: str | None
) -> DumpedCollection:
    options, indexes = options_and_indexes(metadata)
    kind, rule = kind_and_rule(name, metadata, options, has_data=files.data is not None)
    path = files.data if files.data is not None else buckets
    compressed = path is not None and path.name.endswith(".gz")
    total = _bytes_total(path, compressed)
    exact = path is not None and not compressed
    info = CollectionInfo(name, kind, total, None, indexes, options, rule, bytes_exact=exact, fault=fault)
    return DumpedCollection(info, path, compressed)


def options_and_indexes(metadata: dict[str, object]) -> tuple[dict[str, object], tuple[dict[str, object], ...]]:
    """Take the collection's options and index descriptions out of its metadata."""
    indexes = tuple(_object(index) for index in _array(metadata.get("indexes")))
    return _object(metadata.get("options")), indexes


def kind_and_rule(
    name: str, metadata: dict[str, object], options: dict[str, object], *, has_data: bool
) -> tuple[CollectionKind, str | None]:
    """Return the kind and, for kinds that are not read, the reason as a sentence."""
    stated = metadata.get("type")
    if name.startswith(BUCKETS):
        return "system", f"{name} holds the internal buckets of a time-series collection, not its measurements."
    if name.startswith(("system.", "$admin.system.")):
        return "system", f"{name} belongs to the MongoDB server and holds none of the application's documents."
    if stated == "timeseries" or "timeseries" in options:
        return "timeseries", (
            f"{name} is a time-series collection: a dump holds its internal buckets, which this version does not open."
        )
    if not has_data and (stated == "view" or "viewOn" in options):
        return "view", f"{name} is a view: it shows documents of other collections and holds none of its own."
    if not has_data:
        return "collection", (
            f"{name} has metadata but no data file; mongodump writes an empty one for an empty collection,"
            " so this dump is incomplete."
        )
    if options.get("capped") is True:
        return "capped", None
    return "collection", None


def _bytes_total(path: Path | None, compressed: bool) -> int | None:
    """Return the file's decompressed size: exact for plain files, the gzip trailer's word where that can be true."""
    if path is None:
        return 0
    return inflated_size(path) if compressed else path.stat().st_size


def _read_metadata(path: Path | None) -> dict[str, object]:
    if path is None:
        return {}
    try:
        raw = path.read_bytes() if path.suffix != ".gz" else _inflate(path)
        return parse_metadata(raw)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise SourceError(
            f"{shown(path.name)} is not readable metadata of a dump: {error}",
            code="metadata-broken",
            where=Where(file=shown(path)),
            hint="Restore the file, or remove it: it holds the collection's options and indexes, not its documents.",
        ) from error


def parse_metadata(raw: bytes | str) -> dict[str, object]:
    """Read what mongodump says of one collection (options, indexes, type) from JSON, numbers folded to plain ones.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.
    """
    return _object(_fold(json.loads(raw) if raw.strip() else None))


def _inflate(path: Path) -> bytes:
    with gzip.open(path, "rb") as file:
        return file.read(_MAX_METADATA_BYTES)


def _fold(value: object) -> object:
    """Turn Extended JSON numbers (`{"$numberInt": "1"}` and the like) into plain ones, all the way down."""
    if isinstance(value, list):
        return [_fold(item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    pairs = cast("dict[str, object]", value)
    if len(pairs) == 1:
        ((key, inner),) = pairs.items()
        if isinstance(inner, str):
            try:
                if key in {"$numberInt", "$numberLong"}:
                    return int(inner)
                if key == "$numberDouble":
                    return float(inner)
            except ValueError:
                return pairs
    return {key: _fold(inner) for key, inner in pairs.items()}


def _object(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _array(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
