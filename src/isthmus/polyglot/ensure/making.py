"""Make the indexes that `ensure` needs, and drop those that it made before and needs no more. Pure.

Each key is kept to one document at every moment from the first index on: the next index is there before the last one is
dropped. So it may be called while the application runs, and from several processes at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bson import CodecOptions

from isthmus.polyglot.ensure.asks import Asking, Call, Duplicate
from isthmus.polyglot.ensure.belonging import Belonging
from isthmus.polyglot.ensure.doubles import MOST_NAMED, doubles, stand_double
from isthmus.polyglot.ensure.gaps import MOST_KEYS, check_keys, plain
from isthmus.polyglot.ensure.indexes import (
    Index,
    gapped_index,
    gapped_indexes,
    lacks_plain,
    missing_indexes,
    plain_index,
    superfluous,
)
from isthmus.polyglot.ensure.telling import built, told

_TRIES = 5
"""How often documents may come to stand double while an index is made, before somebody is told."""


def making(
    belonging: Belonging, collection: str, options: CodecOptions[Any], *, leave_out: bool = False
) -> Asking[list[str]]:
    """Make the indexes that are missing; return their names.

    Args:
        belonging: Which document belongs to a row.
        collection: For errors.
        options: Of the collection.
        leave_out: Whether an index will do that leaves out what stands double.

    Raises:
        PolyglotError: Several documents hold one reference (code `ensure-duplicate`; `problems` has each of them), and
            it is not to be left out, or cannot be (`ensure-gaps`).
    """
    made: list[str] = []
    there = yield from built()
    for one in missing_indexes(belonging, True, there):
        if "unique" in one.options:
            made += yield from _unique(belonging, collection, one, there, options if leave_out else None)
        else:
            yield from _create(one)
            made.append(one.name)
    there = yield from built()
    if lacks_plain(belonging, there):
        beside = plain_index(belonging)
        yield from _create(beside)
        made.append(beside.name)
    for name in superfluous(belonging, there):
        yield from told(Call("drop_index", (name,)))
    return made


def _unique(
    belonging: Belonging,
    collection: str,
    whole: Index,
    there: Sequence[Mapping[str, Any]],
    leave_out: CodecOptions[Any] | None,
) -> Asking[list[str]]:
    """Make the unique index: the whole one, or one that leaves out what stands double.

    What an index with gaps left out before is all that can stand double, so only that is looked at.
    """
    known = [one.keys for one in gapped_indexes(belonging, there)]
    among = known[0] if known else None
    tried = 0
    while True:
        # Without gaps the index itself finds out, and that is no more work than looking.
        found = [] if among is None and not tried else (yield from doubles(belonging, MOST_KEYS, there, among))
        if not found:
            answer = yield from _create(whole)
            if not isinstance(answer, Duplicate):
                return [whole.name]
        elif leave_out is None:
            raise stand_double(found, belonging, collection)
        else:
            keys = [plain(one.key, leave_out) for one in found]
            check_keys(keys, belonging.reference, collection)
            serves = among is not None and len(keys) == len(among)
            wanted = [] if serves else [gapped_index(belonging, keys, there)]
            answer = (yield from _create(wanted[0])) if wanted else None
            if not isinstance(answer, Duplicate):
                return [one.name for one in wanted]
        among = None
        tried += 1
        if tried >= _TRIES:
            raise stand_double((yield from doubles(belonging, MOST_NAMED, there)), belonging, collection)


def _create(one: Index) -> Asking[Any]:
    return (yield from told(Call("create_index", ([(one.path, 1)],), {"name": one.name, **one.options})))
