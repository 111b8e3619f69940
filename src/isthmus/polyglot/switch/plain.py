"""A collection that moves into a table of documents, or back: copied and verified by the library itself.

Only what differs is written. Into PostgreSQL all of it in one transaction, so a death on the way leaves the table as it
was; into MongoDB document by document, and a repetition finds what is left.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from uuid import uuid4

import bson
import psycopg
from bson.raw_bson import RawBSONDocument
from psycopg import sql
from pymongo import DeleteOne, ReplaceOne
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.write_concern import WriteConcern

from isthmus._rust import extended_json
from isthmus.connect.mongo import MongoServer
from isthmus.connect.postgres import connect, explain
from isthmus.errors import ConfigError, PolyglotError, Problem, Where
from isthmus.polyglot.outbox.intent import MARK
from isthmus.polyglot.stores.form import CODEC, from_bson, to_bytes, to_json, unfit, written
from isthmus.polyglot.switch.carrier import Compared, Difference, Home
from isthmus.polyglot.switch.ledger import Ledger
from isthmus.polyglot.switch.sides import Pair, Sides
from isthmus.sources.extended_json.values import Unfit
from isthmus.work.stages import reached

_SHOWN = 20
_BATCH = 500
_COLUMNS = {"id": "text", "document": "jsonb", "revision": "uuid"}
_MADE = (
    'CREATE TABLE {} (id text COLLATE "C" PRIMARY KEY, document jsonb NOT NULL,'
    " revision uuid NOT NULL DEFAULT gen_random_uuid());"
)


class PlainTable:
    """A `Carrier` for a table of documents.

    Args:
        server: The server of MongoDB.
        database: The database's name there.
        conninfo: The database of PostgreSQL.
        ledger: Of the collection, held.
        table: The table: `name` or `schema.name`.
    """

    def __init__(self, server: MongoServer, database: str, conninfo: str, ledger: Ledger, table: str) -> None:
        self._conninfo = conninfo
        self._ledger = ledger
        schema, _, name = table.rpartition(".")
        self._table = sql.Identifier(*filter(None, (schema, name)))
        self._text = table
        self._sides = Sides(server, database, ledger.collection, self._table)

    @property
    def name(self) -> str:
        """As `Carrier.name`."""
        return f"table {self._text}"

    def check(self, goal: Home) -> None:
        """As `Carrier.check`.

        Raises:
            ConfigError: The table is not there, or is none of documents (code `switch-table`).
            PolyglotError: It holds rows that no switch brought there (code `switch-table-filled`).
        """
        connection = self._ledger.connection
        shown = self._table.as_string(connection)
        rows = connection.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
            (shown,),
        ).fetchall()
        found = {str(name): str(of_type) for name, of_type in rows}
        wrong = [name for name, of_type in _COLUMNS.items() if found.get(name) != of_type]
        if wrong:
            what = f"has no column {wrong[0]} of type {_COLUMNS[wrong[0]]}" if found else "is not there"
            raise ConfigError(
                f"The table {self._text} {what}.",
                code="switch-table",
                where=Where(table=self._text),
                hint=f"Make it with a migration: {_MADE.format(shown)}",
            )
        if goal == "postgres" and not self._ledger.filled_before(self.name):
            row = connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(self._table)).fetchone()
            if row and row[0]:
                raise PolyglotError(
                    f"The table {self._text} holds rows, and no switch of this collection brought them there.",
                    code="switch-table-filled",
                    where=Where(table=self._text),
                    hint="A switch makes the table equal to the collection. Empty it, or name another one.",
                )

    def ahead(self, goal: Home) -> Mapping[str, int] | None:
        """As `Carrier.ahead`; on the way back nothing is, for a fence may still stand there."""
        return self._into_table() if goal == "postgres" else None

    def copy(self, goal: Home) -> Mapping[str, int]:
        """As `Carrier.copy`.

        Raises:
            PolyglotError: Documents that cannot be kept (`switch-unfit`), or that a constraint, an index or a validator
                refuses (`switch-refused`), or ids (`switch-ids`).
        """
        return self._into_table() if goal == "postgres" else self._into_collection()

    def verify(self, goal: Home) -> Compared:  # noqa: ARG002  both ways it is the same question
        """As `Carrier.verify`: what the rows read back as is compared with the BSON of the documents."""
        documents, total = 0, 0
        shown: list[Difference] = []
        with self._reading() as connection:
            for pair in self._sides.pairs(connection):
                documents += 1
                what = _difference(pair)
                if what is not None:
                    total += 1
                    if len(shown) < _SHOWN:
                        shown.append(Difference(pair.id, what))
        return Compared(documents, shown, total)

    def _into_table(self) -> dict[str, int]:
        documents = 0
        problems: list[Problem] = []
        with self._reading() as reading, connect(self._conninfo, autocommit=True) as connection:
            connection.execute("CREATE TEMP TABLE isthmus_delta (id text PRIMARY KEY, document jsonb)")
            for batch in _batches(self._sides.pairs(reading)):
                rows: list[tuple[str, str | None]] = []
                for pair in batch:
                    documents += pair.source is not None
                    if pair.source is None:
                        rows.append((pair.id, None))
                        continue
                    problems += self._problems(pair) if len(problems) < _SHOWN else ()
                    text = written(to_json(pair.source))
                    if text != pair.row and not problems:
                        rows.append((pair.id, text))
                with connection.cursor() as cursor, cursor.copy("COPY isthmus_delta FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            self._refuse(problems)
            try:
                return {"documents": documents, **self._delivered(connection)}
            except (psycopg.errors.IntegrityError, psycopg.errors.ProgramLimitExceeded) as fault:
                raise self._refused(explain(fault, values=False)) from None

    def _delivered(self, connection: psycopg.Connection[Any]) -> dict[str, int]:
        """Make the table what the collection is. Committed; of two that differ in one instant nobody sees the half."""
        with connection.transaction():
            self._ledger.assert_mine(connection)
            connection.execute("SET CONSTRAINTS ALL DEFERRED")
            removed = connection.execute(
                sql.SQL("DELETE FROM {} t USING isthmus_delta d WHERE t.id = d.id AND d.document IS NULL").format(
                    self._table
                )
            ).rowcount
            written_ = connection.execute(
                sql.SQL(
                    "INSERT INTO {} AS t (id, document)"
                    " SELECT id, document FROM isthmus_delta WHERE document IS NOT NULL"
                    " ON CONFLICT (id) DO UPDATE SET document = excluded.document, revision = gen_random_uuid()"
                ).format(self._table)
            ).rowcount
            reached("switch.copy-before-commit")
        return {"written": written_, "removed": removed}

    def _into_collection(self) -> dict[str, int]:
        documents, changed, removed = 0, 0, 0
        collection = self._sides.collection.with_options(write_concern=WriteConcern("majority", j=True))
        with self._reading() as connection:
            for batch in _batches(self._sides.pairs(connection)):
                gone = [pair for pair in batch if pair.row is None]
                changes = [pair for pair in batch if pair.row is not None and _difference(pair) is not None]
                documents += len(batch) - len(gone)
                work: list[Any] = [DeleteOne(_as_read(pair)) for pair in gone]
                work += [_replacement(pair) for pair in changes]
                if not work:
                    continue
                with self._ledger.connection.transaction():
                    self._ledger.assert_mine(self._ledger.connection)
                try:
                    collection.bulk_write(work, ordered=True)
                except BulkWriteError as error:
                    raise self._refused(_first_error(error)) from None
                except PyMongoError as error:
                    raise self._sides.trouble(error, "write documents") from None
                reached("switch.written")
                changed, removed = changed + len(changes), removed + len(gone)
        return {"documents": documents, "written": changed, "removed": removed}

    @contextmanager
    def _reading(self) -> Generator[psycopg.Connection[Any]]:
        with connect(self._conninfo) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield connection

    def _problems(self, pair: Pair) -> list[Problem]:
        name = self._ledger.collection
        found: list[Problem] = []
        for path, what in unfit(pair.source or b""):
            where = Where(collection=name, source_id=pair.id[:80], path=path)
            found.append(Problem("store-document", f"This document cannot be in a store: {what}.", where))
        if len(pair.id.encode()) > 1_024:
            found.append(
                Problem(
                    "store-id",
                    "This _id cannot be in a store: it is too long.",
                    Where(collection=name, source_id=pair.id[:80]),
                )
            )
        return found[:_SHOWN]

    def _refuse(self, problems: list[Problem]) -> None:
        if problems:
            more = "at least " if len(problems) >= _SHOWN else ""
            raise PolyglotError(
                f"{more}{len(problems)} values of {self._ledger.collection} cannot be kept in a table of documents.",
                code="switch-unfit",
                where=Where(collection=self._ledger.collection),
                problems=tuple(problems),
                hint="Correct these documents in MongoDB, or move the collection with a mapping. Nothing was copied.",
            )

    def _refused(self, words: str) -> PolyglotError:
        return PolyglotError(
            f"Some documents of {self._ledger.collection} are refused where they are to go: {words}",
            code="switch-refused",
            where=Where(collection=self._ledger.collection, table=self._text),
            hint="Correct the documents, or the constraint, index or validator that stands there.",
        )


def _difference(pair: Pair) -> str | None:
    """Return what differs between both sides of a document, by the names of its fields; None: nothing."""
    if pair.source is None:
        return "is in PostgreSQL only"
    if pair.row is None:
        return "is in MongoDB only"
    try:
        row = _typed(to_bytes(pair.row))
    except Unfit as fault:
        return f"its row is no document in Isthmus's form: {fault}"
    source = _typed(pair.source)
    if row == source:
        return None
    names = sorted(name for name in {*row, *source} if row.get(name, ...) != source.get(name, ...))
    return f"differs in {', '.join(names[:5])}{' and more' if len(names) > 5 else ''}"


def _typed(data: bytes) -> dict[str, Any]:
    """Return a document without Isthmus's mark as values that are equal where types and values are."""
    found: dict[str, Any] = json.loads(extended_json(data))
    found.pop(MARK, None)
    return found


def _replacement(pair: Pair) -> ReplaceOne[RawBSONDocument]:
    """Return the write of a row's document into MongoDB: what the outbox noted in the one that is there stays.

    Of a document that a store has written since it was read here it fails: this process is not the only one any more.
    """
    before: Any = from_bson(pair.source).get(MARK) if pair.source is not None else None
    mark = {**(cast("dict[str, Any]", before) if isinstance(before, dict) else {}), "r": uuid4()}
    elements = to_bytes(pair.row or "")[4:-1] + bson.encode({MARK: mark}, codec_options=CODEC)[4:-1]
    whole = RawBSONDocument((len(elements) + 5).to_bytes(4, "little") + elements + b"\0")
    return ReplaceOne({**_as_read(pair), "_id": whole["_id"]}, whole, upsert=True)


def _as_read(pair: Pair) -> dict[str, Any]:
    """Return the condition that a document has still the mark with which it was read, or is still not there."""
    if pair.source is None:
        return {MARK: {"$exists": False}}
    found = RawBSONDocument(pair.source)
    return {"_id": found["_id"], MARK: {"$eq": found[MARK]} if MARK in found else {"$exists": False}}


def _first_error(error: BulkWriteError) -> str:
    """Return what MongoDB says of the first write it refused, without values."""
    errors: list[dict[str, Any]] = error.details.get("writeErrors") or [{}]
    code = errors[0].get("code")
    return f"{ {121: 'a validator does', 11000: 'a unique index does'}.get(code or 0, f'code {code}') } (MongoDB)."


def _batches(pairs: Iterator[Pair]) -> Iterator[list[Pair]]:
    batch: list[Pair] = []
    for pair in pairs:
        batch.append(pair)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
