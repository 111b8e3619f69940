"""What old ids are in the target: the rows that values of documents name, looked up many at once.

A value is taken for what a document's `_id` may be: the id of its row stands in `isthmus.id_map` where it has that of
another row, and is derived from it otherwise. Either counts only if that row is there. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import bson
import psycopg
from bson import Decimal128, Int64, ObjectId
from bson.errors import BSONError
from psycopg import sql

from isthmus._rust import IdCodec
from isthmus.errors import ConversionError
from isthmus.mapping.references import Pointer
from isthmus.polyglot.audit_goals import text_of
from isthmus.polyglot.rewrite.aims import Aim
from isthmus.state.ids import may_hold
from isthmus.state.rewrites import matched_ids

_CAST = frozenset({"uuid", "bigint", "integer", "smallint"})
_TEXTS = frozenset({"text", "character varying", "character"})


@dataclass(frozen=True)
class Answer:
    """What a value is to one table.

    Attributes:
        is_id: Whether the value is the id of a row as it stands.
        ids: Ids of the rows that the value names as an old id; more than one is an ambiguity.
    """

    is_id: bool = False
    ids: frozenset[str] = frozenset()


NOTHING = Answer()


@dataclass(frozen=True)
class _Candidate:
    """What an old id may have become."""

    source_id: bytes
    derived: tuple[str, ...]


class Resolver:
    """Looks values up in the tables of some entries.

    Args:
        connection: The target.
        key: The target's id key.
        aims: The tables, by entry.
    """

    def __init__(self, connection: psycopg.Connection, key: bytes, aims: dict[str, Aim]) -> None:
        self._connection = connection
        self._codec = IdCodec(key)
        self._aims = aims

    def resolve(self, values: Iterable[tuple[Pointer, bytes, object]]) -> dict[tuple[str, bytes], Answer]:
        """Return (entry, value) → what it is there; entries that are no aims are left out.

        Args:
            values: What may lead where: the pointer, `{"": value}` as BSON, the value.
        """
        by_entry: dict[str, dict[bytes, tuple[set[str], object]]] = {}
        for pointer, held, value in values:
            if pointer.entry in self._aims:
                known = by_entry.setdefault(pointer.entry, {}).setdefault(held, (set(), value))
                known[0].add(pointer.hashed_as)
        answers: dict[tuple[str, bytes], Answer] = {}
        for entry, wanted in by_entry.items():
            for held, answer in self._of_entry(self._aims[entry], wanted):
                answers[entry, held] = answer
        return answers

    def _of_entry(self, aim: Aim, wanted: dict[bytes, tuple[set[str], object]]) -> Iterator[tuple[bytes, Answer]]:
        candidates = {held: self._candidate(aim, names, value) for held, (names, value) in wanted.items()}
        known = [one for one in candidates.values() if one is not None]
        elsewhere: dict[bytes | str, set[str]] = {}
        for derived, source_id, row_id in matched_ids(
            self._connection,
            aim.collections,
            list({text for one in known for text in one.derived}),
            list({one.source_id for one in known}),
        ):
            elsewhere.setdefault(source_id, set()).add(row_id)
            if derived is not None:
                elsewhere.setdefault(derived, set()).add(row_id)
        possible: dict[bytes, set[str]] = {}
        for held, one in candidates.items():
            if one is None:
                continue
            found = elsewhere.get(one.source_id, set()).union(*(elsewhere.get(text, set()) for text in one.derived))
            possible[held] = found or set(one.derived)
        texts = {value for _, value in wanted.values() if type(value) is str}
        there = self._there(aim, texts.union(*possible.values()))
        for held, (_, value) in wanted.items():
            yield held, Answer(_as_id(aim, value) in there, frozenset(possible.get(held, set()) & there))

    def _candidate(self, aim: Aim, names: set[str], value: object) -> _Candidate | None:
        """Return what a value may have become; None where it can be no `_id`."""
        try:
            source_id = bson.encode({"_id": value})
            if aim.ids == "keep":
                kept = _kept(value)
                return None if kept is None else _Candidate(source_id, (kept,))
            # an `_id` that is no ObjectId is hashed with the name of its collection
            hashed_as = {""} if isinstance(value, ObjectId) else {*names, *aim.collections}
            derived = (self._codec.derive(name, source_id, aim.ids) for name in sorted(hashed_as))
            return _Candidate(source_id, tuple(dict.fromkeys(derived)))
        except (BSONError, ConversionError, OverflowError):
            return None

    def _there(self, aim: Aim, ids: Iterable[str]) -> set[str]:
        """Return those of some ids that rows of a table have."""
        kind = "text" if aim.type in _TEXTS else aim.type
        if kind in _CAST:
            column, given = sql.SQL("t.{}"), sql.SQL("%s::text[]::{}[]")
            fitting = [text for text in ids if may_hold(kind, text)]
        else:  # also types that nobody expects, such as domains: compared by what they print
            column = sql.SQL("t.{}") if kind == "text" else sql.SQL("t.{}::text")
            given, fitting = sql.SQL("%s::text[]"), [text for text in ids if "\0" not in text]
        if not fitting:
            return set()
        query = sql.SQL("SELECT t.{id}::text FROM {table} t WHERE {column} = ANY({given})").format(
            id=sql.Identifier(aim.column),
            table=sql.Identifier(aim.schema, aim.table),
            column=column.format(sql.Identifier(aim.column)),
            given=given.format(sql.SQL(kind)) if kind in _CAST else given,  # pyright: ignore[reportArgumentType]
        )
        return {str(text) for (text,) in self._connection.execute(query, (fitting,)).fetchall()}


def _as_id(aim: Aim, value: object) -> str | None:
    """Return the id that a value is as it stands: a text, or a number where ids are kept; None for all others."""
    if type(value) is str:
        return value
    return _kept(value) if aim.ids == "keep" and type(value) in (int, Int64) else None


def _kept(value: object) -> str | None:
    """Return the id that a value has where ids are kept; None for what no column of ids holds."""
    return None if isinstance(value, (float, Decimal128)) else text_of(value)
