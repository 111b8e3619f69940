"""What a folder of mongoexport JSON holds: which file is which collection, and about how much is in it.

Decides from file names: NAME.json, .jsonl or .ndjson, each also .gz, is the collection NAME, percent-encoded as
mongodump does it where a name has characters a file name cannot have. Looks into a file only to estimate its size.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from isthmus.errors import SourceError, Where
from isthmus.sources.dump.folder import kind_and_rule
from isthmus.sources.extended_json.inflated import JsonBytes, JsonFile
from isthmus.sources.extended_json.text import BreakError, Document, Documents, Large
from isthmus.sources.gzip_stream import GZIP_MAGIC, inflated_size
from isthmus.sources.protocol import CollectionInfo
from isthmus.sources.shown import printable, shown

ENDINGS = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_NOT_DOCUMENTS = (".metadata.json", ".metadata.json.gz")
_NOT_COLLECTIONS = frozenset({"prelude.json", "prelude.json.gz"})
_HEAD_BYTES = 64 * 1024
_GUESSED_RATIO = 0.7  # BSON to JSON, where no document could be looked at


@dataclass(frozen=True, slots=True)
class ExportedCollection:
    """One collection and its file.

    Attributes:
        info: As `Source.collections` lists it.
        file: The file.
    """

    info: CollectionInfo
    file: JsonFile


def collection_name(path: Path) -> str | None:
    """Return the collection whose documents a file holds by its name; None when it is none."""
    name = path.name
    if name.startswith(".") or name in _NOT_COLLECTIONS or name.endswith(_NOT_DOCUMENTS):
        return None
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if name.endswith(ending) and len(name) > len(ending):
            return unquote(printable(name.removesuffix(ending)), errors="replace")
    return None


def holds_json(folder: Path) -> bool:
    """Whether files of exported collections lie directly in `folder`."""
    return any(collection_name(path) is not None for path in folder.iterdir() if path.is_file())


def list_exported(files: list[Path]) -> dict[str, ExportedCollection]:
    """Describe the collections of some files.

    Returns:
        Collections by name, sorted.

    Raises:
        SourceError: Two files are one collection (`ambiguous-collection`), or a file cannot be read (`unreadable`).
    """
    paths: dict[str, Path] = {}
    for path in sorted(files):
        name = collection_name(path)
        if name is None:
            continue
        if name in paths:
            raise SourceError(
                f"{shown(paths[name].name)} and {shown(path.name)} are both collection {shown(name)}, so it is unclear"
                " which one counts.",
                code="ambiguous-collection",
                where=Where(file=shown(path.parent), collection=name),
                hint="Move one of the two out of the folder.",
            )
        paths[name] = path
    return {name: _described(paths[name], name) for name in sorted(paths)}


def _described(path: Path, name: str) -> ExportedCollection:
    file = JsonFile(path, name, _is_gzip(path, name))
    kind, rule = kind_and_rule(name, {}, {}, has_data=True)  # a name is all there is to tell by
    info = CollectionInfo(name, kind, _bytes_total(file), None, (), {}, rule)
    return ExportedCollection(info, file)


def _is_gzip(path: Path, name: str) -> bool:
    """Tell by the first bytes, for some programs unpack a file and leave its name; by the name where there are none."""
    with JsonFile(path, name, compressed=False).opened() as descriptor:
        magic = os.pread(descriptor, 2, 0)
    return magic == GZIP_MAGIC or (len(magic) < 2 and path.name.endswith(".gz"))


def _bytes_total(file: JsonFile) -> int | None:
    """Estimate the BSON a file will give from the documents at its beginning; 0 only where nothing is in it."""
    with file.opened() as descriptor:
        head = JsonBytes(file, descriptor)
        found = Documents(head, stop=None, before=None, max_bytes=_HEAD_BYTES)
        json_bytes, bson_bytes = 0, 0
        try:
            for one in found:
                if isinstance(one, Document):
                    bson_bytes += len(one.data)
                    json_bytes = found.behind
                if isinstance(one, Large) or json_bytes >= _HEAD_BYTES:
                    break
            else:
                return bson_bytes  # the whole file was seen
        except BreakError:
            pass
        size = inflated_size(file.path) if file.compressed else head.size()
    if size is None:
        return None
    return max(1, int(size * (bson_bytes / json_bytes if json_bytes else _GUESSED_RATIO)))
