"""What a database of a running server holds: names, kinds and sizes of its collections, and which of them are read.

Decides kinds and rules from what `listCollections` says and from one look into each `_id` index, which also shows
whether the user may read there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pymongo.errors import InvalidName, OperationFailure, PyMongoError

from isthmus.connect.mongo import UNAUTHORIZED
from isthmus.sources.dump.folder import kind_and_rule
from isthmus.sources.live.reach import INDEX, Reach
from isthmus.sources.protocol import CollectionInfo, CollectionKind

_BAD_VALUE = 2  # a hint on an index that is not there


def list_collections(reach: Reach) -> dict[str, CollectionInfo]:
    """Look at every collection of the database; sorted by name. Reads one `_id` of each, and no document.

    Raises:
        SourceError: The server is in trouble, or the user may not list collections (`source-right`).
    """
    listed = reach.server.ask("list collections", lambda: _listed(reach))
    return {name: _look(reach, name, listed[name]) for name in sorted(listed)}


def _listed(reach: Reach) -> dict[str, Mapping[str, Any]]:
    try:
        return {str(one["name"]): one for one in reach.database.list_collections()}
    except OperationFailure as error:
        if error.code != UNAUTHORIZED:
            raise
    # Who may not see options may still see the names of what may be read.
    command = {"listCollections": 1, "nameOnly": True, "authorizedCollections": True}
    return {str(one["name"]): one for one in reach.database.cursor_command(command)}


def _look(reach: Reach, name: str, listed: Mapping[str, Any]) -> CollectionInfo:
    options = _plain(listed.get("options") or {})
    kind, rule = _kind(name, str(listed.get("type") or "collection"), options)
    if rule is not None:
        return CollectionInfo(name, kind, None, None, (), options, rule)
    first, rule = _first(reach, name)
    size, documents = _size(reach, name) if rule is None else (None, None)
    if rule is None and first is None:
        size, documents = 0, 0
    elif first is not None:  # counters that a crash set back to nothing
        size, documents = size or None, documents or None
    indexes = _indexes(reach, name) if rule is None else ()
    return CollectionInfo(name, kind, size, documents, indexes, options, rule)


def _kind(name: str, stated: str, options: dict[str, object]) -> tuple[CollectionKind, str | None]:
    """Return the kind and, for kinds that are not read, the reason as a sentence: that of dumps, where it fits."""
    kind, rule = kind_and_rule(name, {"type": stated}, options, has_data=stated != "view")
    if kind == "timeseries":
        rule = (
            f"{name} is a time-series collection: its measurements have no index on _id by which reading could go on,"
            " so this version does not read them."
        )
    return kind, rule


def _first(reach: Reach, name: str) -> tuple[bytes | None, str | None]:
    """Return the first `_id`, and why the collection cannot be read."""
    try:
        return reach.first_id(name), None
    except InvalidName:
        return None, (
            f"{name} has a name that pymongo, through which it would be read, does not take (a point at its beginning"
            " or end, two points in a row); rename it, or read it from a dump."
        )
    except PyMongoError as error:
        code = error.code if isinstance(error, OperationFailure) else None
        if code == UNAUTHORIZED:
            return None, f"{name} may not be read by the user of the source's address; it needs the role `read`."
        if code == _BAD_VALUE:
            return None, f"{name} has no index on _id, by which it would be read; create one: {{_id: 1}}."
        raise reach.server.trouble(error, f"read {name}", collection=name) from None


def _size(reach: Reach, name: str) -> tuple[int | None, int | None]:
    """Return bytes of BSON and number of documents, as the server keeps count of them; None where it does not tell."""
    try:
        stats = reach.database.command("collStats", name, read_preference=reach.database.read_preference)
        return int(stats["size"]), int(stats["count"])
    except (OperationFailure, KeyError):
        return None, None
    except PyMongoError as error:
        raise reach.server.trouble(error, f"tell the size of {name}", collection=name) from None


def _indexes(reach: Reach, name: str) -> tuple[dict[str, object], ...]:
    try:
        return tuple(_plain(one) for one in reach.database.get_collection(name).list_indexes())
    except OperationFailure:
        return ({"key": dict(INDEX), "name": "_id_"},)
    except PyMongoError as error:
        raise reach.server.trouble(error, f"list the indexes of {name}", collection=name) from None


def _plain(value: Mapping[str, Any]) -> dict[str, object]:
    """Return a document as plain dictionaries, lists and numbers."""
    return {str(key): _folded(one) for key, one in value.items()}


def _folded(value: object) -> object:
    if isinstance(value, Mapping):
        return _plain(cast("Mapping[str, Any]", value))
    if isinstance(value, list):
        return [_folded(one) for one in cast("list[object]", value)]
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return int(value)
