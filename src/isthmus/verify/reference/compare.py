"""Compares every row of the target with what the oracle expects, both ways: missing, extra, different.

Reads the target with plain SELECTs in chunks of root keys; writes nothing. Memory is bounded by the chunk, plus eight
bytes for each row seen (so that a surplus can be named at the end without holding the rows).

Accounted for, and no difference: a document among the dead letters, a reference set to null or a pair dropped, each
only where `Accounts` says so; an account that is stated but did not happen is a difference.

Blind spots: those of the canonical forms (`forms`); two surplus rows whose 64-bit digests of the key collide with
expected ones (about one in 10^19 a pair); rows written while the comparison reads.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, LiteralString, Protocol, cast

import psycopg
from blake3 import blake3
from psycopg import sql

from isthmus.verify.reference import Expected, Reference, Shape
from isthmus.verify.reference.forms import Form, form_of, read_form, sql_form
from isthmus.verify.reference.values import Type

CHUNK_DOCUMENTS = 1_000

Connection = psycopg.Connection[Any]
Row = dict[str, Form]


@dataclass(frozen=True)
class Difference:
    """One finding.

    Attributes:
        table: Table name.
        id: Key of the row, its parts joined with `/`.
        path: Column that differs; `(row)` for a whole row.
        expected: Canonical form, None for NULL or a row that should not be there.
        actual: The same for what is there.
        what: `missing`, `extra` or `different`.
    """

    table: str
    id: str
    path: str
    expected: Form
    actual: Form
    what: str


class Accounts(Protocol):
    """What the ledgers say about departures from what documents alone would give."""

    def dead(self, collection: str, document: bytes) -> bool:
        """Whether this document is a dead letter of a stage that the oracle does not know (load, finish)."""
        ...

    def nulled(self, table: str, row_id: str, column: str) -> bool:
        """Whether this reference was an orphan and set to null; `row_id` is the row's key, joined with `/`."""
        ...

    def dropped(self, table: str, pair: Sequence[str]) -> bool:
        """Whether this pair of a junction table had an end that does not exist; values in column order."""
        ...


@dataclass
class GivenAccounts:
    """Accounts from plain sets; empty ones account for nothing.

    Attributes:
        dead_documents: (collection, `digest_of` the document's bytes).
        nulls: (table, row key, column).
        pairs: (table, first value, second value), in column order.
    """

    dead_documents: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    nulls: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])
    pairs: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])

    def dead(self, collection: str, document: bytes) -> bool:
        """See `Accounts`."""
        return (collection, digest_of(document)) in self.dead_documents

    def nulled(self, table: str, row_id: str, column: str) -> bool:
        """See `Accounts`."""
        return (table, row_id, column) in self.nulls

    def dropped(self, table: str, pair: Sequence[str]) -> bool:
        """See `Accounts`."""
        return (table, pair[0], pair[1]) in self.pairs


@dataclass
class Totals:
    """What was compared.

    Attributes:
        documents: Documents read, by collection.
        rejected: Documents the oracle refuses, by collection.
        skipped: Documents the mapping leaves out, by collection.
        rows: Rows expected and looked for, by table (a pair that both sides state counts once).
    """

    documents: Counter[str] = field(default_factory=Counter[str])
    rejected: Counter[str] = field(default_factory=Counter[str])
    skipped: Counter[str] = field(default_factory=Counter[str])
    rows: Counter[str] = field(default_factory=Counter[str])


class Comparison:
    """One comparison of a target with documents.

    Args:
        reference: The oracle.
        connection: To the target; used for SELECTs only, in the caller's transaction (repeatable read is best).
        accounts: What the ledgers account for.
    """

    def __init__(self, reference: Reference, connection: Connection, accounts: Accounts | None = None) -> None:
        self.reference = reference
        self.connection = connection
        self.accounts: Accounts = accounts or GivenAccounts()
        self.totals = Totals()
        self.seen: dict[str, array[int]] = defaultdict(lambda: array("Q"))

    def differences(self, documents: Iterable[tuple[str, bytes]]) -> Iterator[Difference]:
        """Compare these documents' rows, then look for rows that belong to none of them.

        Args:
            documents: (collection, raw BSON) of every document of every mapped collection, in any order.
        """
        yield from self.of_documents(documents)
        for table in self.reference.shapes:
            yield from self.surplus(table)

    def of_documents(self, documents: Iterable[tuple[str, bytes]]) -> Iterator[Difference]:
        """Compare these documents' rows only; a sample is fine, and says nothing about surplus rows."""
        stream = iter(documents)
        while chunk := list(islice(stream, CHUNK_DOCUMENTS)):
            for collection, raws in _by_collection(chunk).items():
                yield from self._chunk(collection, raws)

    def _chunk(self, collection: str, raws: Sequence[bytes]) -> Iterator[Difference]:
        rules = self.reference.rules.collections[collection]
        expected: dict[str, dict[str, Row]] = {name: {} for name in self._tables_of(collection)}
        owners: list[str] = []
        for raw in raws:
            self.totals.documents[collection] += 1
            result = self.reference.expected(collection, raw)
            if result.skipped is not None:
                self.totals.skipped[collection] += 1
            elif result.rejected is not None:
                self.totals.rejected[collection] += 1
            else:
                self._place(collection, result, expected, owners, dead=self.accounts.dead(collection, raw))
        for table, rows in expected.items():
            shape = self.reference.shapes[table]
            if shape.kind == "junction":
                actual = self._fetch_pairs(shape, list(rows.values()))
            else:
                actual = self._fetch_owned(shape, rules.id_column.type, owners)
            yield from self._match(shape, rows, actual, both_ways=shape.kind != "junction")
            seen = self.seen[table]
            seen.extend(digest_of(key.encode("utf-8")) for key in rows)

    def _tables_of(self, collection: str) -> list[str]:
        own = [shape.table for shape in self.reference.shapes.values() if shape.kind != "junction"]
        mine = [table for table in own if self.reference.shapes[table].collection == collection]
        return [*mine, *(shape.table for shape in self.reference.shapes.values() if shape.kind == "junction")]

    def _place(
        self,
        collection: str,
        result: Expected,
        expected: dict[str, dict[str, Row]],
        owners: list[str],
        *,
        dead: bool,
    ) -> None:
        """Sort one document's rows by table and key, less what is accounted for."""
        rules = self.reference.rules.collections[collection]
        root = result.rows[rules.table][0]
        owner = form_of(root[rules.id_column.name], rules.id_column.type)
        if isinstance(owner, str):
            owners.append(owner)
        if dead:
            return
        for table, rows in result.rows.items():
            shape = self.reference.shapes[table]
            for row in rows:
                forms = {name: form_of(row[name], kind) for name, kind in shape.columns.items()}
                key = key_of(forms, shape)
                if shape.kind == "junction" and self.accounts.dropped(table, [str(forms[name]) for name in shape.key]):
                    continue
                for column in shape.references:
                    if shape.kind != "junction" and self.accounts.nulled(table, key, column):
                        forms[column] = None
                expected[table][key] = forms

    def _match(
        self, shape: Shape, expected: dict[str, Row], actual: dict[str, Row], *, both_ways: bool
    ) -> Iterator[Difference]:
        self.totals.rows[shape.table] += len(expected)
        for key, row in expected.items():
            there = actual.get(key)
            if there is None:
                yield Difference(shape.table, key, "(row)", _summary(row), None, "missing")
                continue
            for column, form in row.items():
                if there[column] != form:
                    yield Difference(shape.table, key, column, form, there[column], "different")
        if both_ways:
            for key, row in actual.items():
                if key not in expected:
                    yield Difference(shape.table, key, "(row)", None, _summary(row), "extra")

    def _fetch_owned(self, shape: Shape, id_type: Type, owners: list[str]) -> dict[str, Row]:
        """Rows that belong to these root keys."""
        if shape.owner is None or not owners:
            return {}
        where = sql.SQL("{} = ANY(%s::{}[])").format(sql.Identifier(shape.owner), _sql_type(id_type))
        return self._fetch(shape, where, [owners])

    def _fetch_pairs(self, shape: Shape, rows: list[Row]) -> dict[str, Row]:
        """The rows with exactly these pairs, where they are there."""
        if not rows:
            return {}
        first, second = shape.key
        where = sql.SQL("({}, {}) IN (SELECT a, b FROM unnest(%s::{}[], %s::{}[]) AS p(a, b))").format(
            sql.Identifier(first),
            sql.Identifier(second),
            _sql_type(shape.columns[first]),
            _sql_type(shape.columns[second]),
        )
        return self._fetch(shape, where, [[row[first] for row in rows], [row[second] for row in rows]])

    def _select(self, shape: Shape) -> sql.Composed:
        columns = [
            sql.SQL(cast("LiteralString", sql_form(sql.Identifier(name).as_string(self.connection), kind)))
            for name, kind in shape.columns.items()
        ]
        table = sql.Identifier(self.reference.rules.schema, shape.table)
        return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(columns), table)

    def _fetch(self, shape: Shape, where: sql.Composed, parameters: list[Any]) -> dict[str, Row]:
        query = sql.SQL("{} WHERE {}").format(self._select(shape), where)
        found: dict[str, Row] = {}
        for values in self.connection.execute(query, parameters):
            row = _read(values, shape)
            found[key_of(row, shape)] = row
        return found

    def surplus(self, table: str) -> Iterator[Difference]:
        """Rows of a table whose key no document compared so far has; reads the whole table only if there are any."""
        shape = self.reference.shapes[table]
        distinct = array("Q", sorted(set(self.seen[table])))
        name = sql.Identifier(self.reference.rules.schema, table)
        counted = self.connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()
        if counted is not None and counted[0] == len(distinct):
            return
        with self.connection.cursor(name="surplus") as cursor:
            for values in cursor.execute(self._select(shape)):
                row = _read(values, shape)
                wanted = digest_of(key_of(row, shape).encode("utf-8"))
                at = bisect_left(distinct, wanted)
                if at == len(distinct) or distinct[at] != wanted:
                    yield Difference(table, key_of(row, shape), "(row)", None, _summary(row), "extra")


def compare(
    reference: Reference,
    connection: Connection,
    documents: Iterable[tuple[str, bytes]],
    accounts: Accounts | None = None,
) -> Iterator[Difference]:
    """Compare a whole target with all its documents; see `Comparison`, which also keeps totals and takes samples."""
    return Comparison(reference, connection, accounts).differences(documents)


def _by_collection(chunk: Sequence[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    grouped: dict[str, list[bytes]] = {}
    for collection, raw in chunk:
        grouped.setdefault(collection, []).append(raw)
    return grouped


def _read(values: Sequence[Any], shape: Shape) -> Row:
    return {name: read_form(value, kind) for (name, kind), value in zip(shape.columns.items(), values, strict=True)}


def _summary(row: Row) -> list[str | None]:
    return [f"{name}={form}"[:200] for name, form in row.items()]


def key_of(row: Row, shape: Shape) -> str:
    """The parts of a row's key, joined with `/`."""
    return "/".join(str(row[name]) for name in shape.key)


def digest_of(data: bytes) -> int:
    """64 bits of a document or of a row's key."""
    return int.from_bytes(blake3(data).digest(8), "big")


def _sql_type(kind: Type) -> sql.SQL:
    names = {"double": "double precision", "enum": "text"}
    return sql.SQL(cast("LiteralString", names.get(kind.kind, kind.kind)))
