"""Unique indexes with gaps: of which keys documents stand double already, such an index leaves just those out. Pure.

Its filter is a row of ranges, from below every key to the first that is left out, from there to the next, and so on. A
key that lies in none of them is one of those that the ranges end at, whatever their order: between a bound below it and
one above it there is always a range with the key inside. So nothing has to be compared as MongoDB would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import bson
from bson import Binary, CodecOptions, Decimal128

from isthmus.errors import PolyglotError, Where
from isthmus.work.amounts import plural

MOST_KEYS = 100
"""So many are a matter for a person; each costs every write a comparison."""
LONGEST_BYTES = 1_024
"""Of one key; the filter holds each of them twice."""
_PLAIN: CodecOptions[dict[str, Any]] = CodecOptions()
_KINDS: dict[type, tuple[type, ...]] = {str: (str,), UUID: (bytes, Binary), int: (int, float, Decimal128)}


@dataclass(frozen=True)
class Gapped:
    """A unique index that leaves keys out.

    Attributes:
        name: Its name.
        keys: What it leaves out, as `plain` gives it.
    """

    name: str
    keys: tuple[Any, ...]

    def leaves_out(self, key: object) -> bool:
        """Tell whether it does not keep documents with a key from standing double.

        Args:
            key: As `plain` gives it.
        """
        return _same(key) in {_same(one) for one in self.keys}


def plain(value: object, options: CodecOptions[Any]) -> Any:
    """Return a key as every index lists it, however the caller's collection reads and writes it."""
    data = bson.encode({"": value}, codec_options=options)
    return bson.decode(data, _PLAIN)[""]  # pyright: ignore[reportUnknownMemberType]


def filter_with_gaps(path: str, least: tuple[str, Any], keys: Sequence[Any]) -> dict[str, Any]:
    """Return the filter of an index.

    Args:
        path: Where the key stands.
        least: Sign and value that begin below every key of the kind.
        keys: What is left out, in MongoDB's order; in another order less would be.
    """
    (sign, value), ranges = least, list[dict[str, Any]]()
    for key in keys:
        ranges.append({path: {sign: value, "$lt": key}})
        sign, value = "$gt", key
    return {"$or": [*ranges, {path: {sign: value}}]}


def gaps_of(path: str, least: tuple[str, Any], kind: type, filtered: object) -> tuple[Any, ...] | None:
    """Return the keys that a filter leaves out; None where it is no filter of `filter_with_gaps`.

    Args:
        path: Where the key stands.
        least: As there.
        kind: Of keys: str, UUID or int.
        filtered: As the server lists it.
    """
    ranges: object = cast("Mapping[str, object]", filtered).get("$or") if isinstance(filtered, Mapping) else None
    if not isinstance(ranges, list) or len(cast("list[object]", ranges)) < 2:
        return None
    found: list[Any] = []
    for one in cast("list[object]", ranges)[:-1]:
        condition: object = cast("Mapping[str, object]", one).get(path) if isinstance(one, Mapping) else None
        key: object = cast("Mapping[str, object]", condition).get("$lt") if isinstance(condition, Mapping) else None
        if not isinstance(key, _KINDS[kind]) or isinstance(key, bool) or _same(key) != _same(key):
            return None  # a bound of another kind, or no number: its ranges hold no key at all
        found.append(key)
    return tuple(found) if filter_with_gaps(path, least, found) == filtered else None


def name_with_gaps(prefix: str, keys: Sequence[Any]) -> str:
    """Return what an index is called that leaves keys out: another name for other keys."""
    return f"{prefix}{hashlib.sha256(bson.encode({'': list(keys)})).hexdigest()[:12]}"


def check_keys(keys: Sequence[Any], path: str, collection: str) -> None:
    """Refuse what no index should leave out.

    Args:
        keys: As `plain` gives them; one more than `MOST_KEYS` says that there are more.

    Raises:
        PolyglotError: There are too many keys, or one is too long (code `ensure-gaps`).
    """
    fault = None
    if len(keys) > MOST_KEYS:
        fault = f"more than {plural(MOST_KEYS, 'key')} of {path} are held by several documents"
    elif any(len(bson.encode({"": one})) > LONGEST_BYTES for one in keys):
        fault = f"a key of {path} that several documents hold is longer than {LONGEST_BYTES:,} bytes"
    if fault is not None:
        raise PolyglotError(
            f"The documents of {collection} that stand double cannot be left out: {fault}.",
            code="ensure-gaps",
            where=Where(collection=collection, path=path),
            hint="Take the reference out of documents that should not hold it; check_indexes lists them.",
        )


def _same(key: object) -> object:
    """Return what is equal for two keys that MongoDB takes for one, of whatever types of number."""
    return key.to_decimal() if isinstance(key, Decimal128) else key
