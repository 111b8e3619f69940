"""Dead letters that the core converts: whether what the ledger says against them is so, by the oracle's word.

Of those that finish refused: another row holds the key, or another dead letter, for who was kept may have left later;
the reference leads nowhere; no key of a short document is too long. Of those that the server refused while they were
loaded: it refuses them again, in a temporary table.

Blind spots: which of two documents that are both dead letters held a value first; a document that is long enough for a
key that is too long; where dead letters were tried again, a reference that leads to a row by now, and what the server
refused; where the role may make no temporary tables, the latter too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg import sql

from isthmus._rust import source_id as document_id
from isthmus.connect.binary_copy import send_copy
from isthmus.connect.postgres import meaning
from isthmus.state.source_ids import show
from isthmus.verify.oracle import RunReference
from isthmus.verify.reference import Expected, Shape
from isthmus.verify.reference.compare import Comparison
from isthmus.verify.reference.finishing import NOTHING, id_of
from isthmus.verify.reference.forms import Form, form_of
from isthmus.verify.reference.rules import Reference
from isthmus.verify.result import ColumnCheck, LayerResult
from isthmus.verify.subject import Subject

_SURELY_SHORT_BYTES = 500
"""A row whose values have fewer bytes as text has no key that is too long: an index entry holds more than twice that,
and none of the types takes more than twice the bytes of its text."""
_NOT_ASKED = (
    "Dead letters were tried again since, so what a document lacked may have come, and tables refuse what they did not."
)
_NO_TABLES = "No temporary table could be made for the server to say again what it refuses."
_LETTERS = """
SELECT collection, stage, code, causes -> 0 ->> 'column', document FROM (
    SELECT *, row_number() OVER (PARTITION BY collection ORDER BY md5(id || '/' || %(seed)s)) AS number
    FROM isthmus.dead_letter WHERE run_id = %(run)s AND stage <> 'convert'
) d WHERE %(most)s::bigint IS NULL OR number <= %(most)s ORDER BY collection, number
"""
_RIVALS = (
    "SELECT collection, document FROM isthmus.dead_letter"
    " WHERE run_id = %s AND stage = 'finish' AND collection = ANY(%s)"
)
_AT_ONCE = 50
Key = tuple[str, ...]


@dataclass(frozen=True)
class _Letter:
    collection: str
    stage: str
    code: str
    column: str
    document: bytes


class _Unasked(Exception):  # noqa: N818  no error: what cannot be asked is said
    """The reason cannot be looked at."""


def find_wrongly_settled(subject: Subject, comparison: Comparison, result: LayerResult) -> None:
    """Enter dead letters of load and finish against which nothing stands, of those that are drawn."""
    reasons = _Reasons(subject, comparison)
    compared: Counter[str] = Counter()
    unasked: dict[str, Counter[str]] = defaultdict(Counter)
    for letter in subject.progress.counting(_drawn(subject), "reasons of dead letters", None):
        try:
            wrong = reasons.wrong(letter)
        except _Unasked as why:
            unasked[letter.collection][str(why)] += 1
            continue
        compared[letter.collection] += 1
        if wrong:
            source_id = document_id(letter.document)
            shown = show(source_id) if source_id else None
            result.differs(
                letter.collection,
                "(dead letters)",
                f"The document {shown or '(no readable _id)'} of {letter.collection} is a dead letter"
                f" ({letter.code}), but {wrong}.",
                id=shown,
                expected="a row",
                actual="a dead letter",
            )
    for name in sorted(compared.keys() | unasked.keys()):
        whys = unasked[name]
        result.columns.append(
            ColumnCheck(name, "(dead letters)", compared[name], left_out=whys.total(), why=" ".join(whys))
        )


def _drawn(subject: Subject) -> Iterator[_Letter]:
    options = subject.options
    with subject.another_connection() as connection, connection.cursor("isthmus_settled") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(_LETTERS, {"run": subject.run.id, "most": options.sample, "seed": str(options.seed)})
        for collection, stage, code, column, document in cursor:
            yield _Letter(collection, stage, code, column or "", bytes(document))


class _Reasons:
    """Looks at what stands against documents."""

    def __init__(self, subject: Subject, comparison: Comparison) -> None:
        self._subject = subject
        self._comparison = comparison
        self._finishing = comparison.finishing
        self._shapes = comparison.reference.shapes
        self._rivals: dict[tuple[str, Key], Counter[Key]] = {}
        self._letters_of: dict[str, list[tuple[str, bytes]]] | None = None
        self._checks: dict[str, Callable[[_Letter, Expected], bool]] = {
            "duplicate-id": self._id_is_held,
            "duplicate-key": self._key_is_held,
            "orphan": self._leads_nowhere,
            "key-too-long": self._may_be_too_long,
            "joined-left": self._was_joined,
        }

    def wrong(self, letter: _Letter) -> str:
        """Return what is wrong with the reason of a letter, a clause; empty where it is as the ledger says.

        Raises:
            _Unasked: That cannot be looked at.
        """
        if letter.stage == "load":
            return self._load(letter)
        check = self._checks.get(letter.code)
        if check is None:
            return "" if not letter.document else "that is no reason to refuse a document there"
        ways = list(self._ways(letter.collection, letter.document))
        if any(one.rows and check(letter, one) for one in ways):
            return ""
        if not ways:
            return ""  # who compares it with what can be carried sees it
        if not any(one.rows for one in ways):
            return "a rule leaves it behind"
        if letter.code == "orphan" and self._subject.run.retries:
            raise _Unasked(_NOT_ASKED)
        return {
            "duplicate-id": "neither a row nor another dead letter has its id",
            "duplicate-key": f"neither a row nor another dead letter holds its {letter.column or 'key'}",
            "orphan": f"its {letter.column or 'references'} leads to a row",
            "key-too-long": "none of its values is too long for a key",
            "joined-left": "no other dead letter holds one of its unique values",
        }[letter.code]

    def _ways(self, collection: str, document: bytes) -> Iterator[Expected]:
        """Yield what the mappings of the run make of a document, but for those that refuse it."""
        reference = self._comparison.reference
        if isinstance(reference, RunReference):
            yield from (one for one in reference.each(collection, document) if one.rejected is None)

    def _id_is_held(self, _letter: _Letter, expected: Expected) -> bool:
        flow = expected.flow
        if flow is None:
            return False
        shape = self._shapes[flow.table]
        if shape.owner is None:
            raise _Unasked(f"{shape.table} keeps no id that others could have.")
        own = id_of(expected, flow)
        joined = self._subject.connection.execute(
            "SELECT EXISTS (SELECT FROM isthmus.id_map WHERE origin = 'merged' AND derived_id = %s)", (own,)
        ).fetchone()
        if joined is not None and joined[0]:
            return True
        if self._comparison.holds_any(shape, (shape.owner,), [{shape.owner: own}]):
            return True
        return self._among_letters(shape, (shape.owner,), {(own,)})

    def _key_is_held(self, letter: _Letter, expected: Expected) -> bool:
        for shape, columns, where in self._keys():
            if letter.column == f"{shape.table}.{', '.join(columns)}":
                if any(self._holds(shape, columns, where, one) for one in (expected, *self._parts(letter, expected))):
                    return True
                if shape.references.keys() & set(columns):
                    raise _Unasked(f"References in a key of {shape.table} may have led elsewhere then.")
        return False

    def _was_joined(self, letter: _Letter, expected: Expected) -> bool:
        flow = expected.flow
        if flow is not None and self._shapes[flow.table].has_things:
            return bool(self._parts(letter, expected))
        return flow is not None and any(
            self._among_letters(shape, columns, self._values(shape, columns, expected))
            for shape, columns, _ in self._keys()
            if shape.table == flow.table
        )

    def _parts(self, letter: _Letter, expected: Expected) -> list[Expected]:
        """Return what becomes of the other dead letters of finish that are one thing with one: they were one row."""
        flow, things = expected.flow, self._comparison.reference.things
        if flow is None or not self._shapes[flow.table].has_things:
            return []
        if self._letters_of is None:
            self._letters_of = defaultdict(list)
            members = [name for names in self._comparison.reference.rules.members.values() for name in names]
            for collection, document in self._subject.connection.execute(_RIVALS, (self._subject.run.id, members)):
                thing = things.of(collection, document_id(bytes(document)) or b"")
                if thing is not None:
                    self._letters_of[thing].append((collection, bytes(document)))
        thing = things.of(letter.collection, document_id(letter.document) or b"")
        return [
            way
            for collection, document in self._letters_of.get(thing or "", ())
            if (collection, document) != (letter.collection, letter.document)
            for way in self._ways(collection, document)
            if way.rows
        ]

    def _holds(self, shape: Shape, columns: Key, where: str | None, expected: Expected) -> bool:
        values = self._values(shape, columns, expected)
        if any(count > 1 for count in values.values()):
            return True  # the document itself holds one twice
        rows = [cast("dict[str, Form]", dict(zip(columns, one, strict=True))) for one in values]
        return bool(rows) and (
            self._comparison.holds_any(shape, columns, rows, where) or self._among_letters(shape, columns, set(values))
        )

    def _keys(self) -> Iterator[tuple[Shape, Key, str | None]]:
        """Yield table, columns and condition of all that must be unique."""
        for table in self._subject.schema.tables.values():
            if table.kind == "junction":
                continue
            if table.primary_key:
                yield self._shapes[table.name], table.primary_key, None
            for index in table.indexes:
                if index.unique:
                    yield self._shapes[table.name], index.columns, index.where

    def _values(self, shape: Shape, columns: Key, expected: Expected) -> Counter[Key]:
        """Return the values that the rows of a document hold together in some columns; NULL is none."""
        if any(shape.columns[name].array for name in columns):
            raise _Unasked(f"Whether another row holds the same array in {shape.table} was not looked at.")
        found: Counter[Key] = Counter()
        for there, forms in self._finishing.alone(expected).rows:
            if there.table != shape.table:
                continue
            key = [forms.get(name) for name in columns]
            if all(one is not None and not str(one).startswith(NOTHING) for one in key):
                found[tuple(map(str, key))] += 1
        return found

    def _among_letters(self, shape: Shape, columns: Key, values: set[Key] | Counter[Key]) -> bool:
        """Tell whether another document that finish refused holds one of some values."""
        if (shape.table, columns) not in self._rivals:
            collections = list(self._subject.schema.tables[shape.table].collections)
            found: Counter[Key] = Counter()
            with self._subject.another_connection() as connection, connection.cursor("isthmus_rivals") as cursor:
                cursor.itersize = _AT_ONCE
                for collection, document in cursor.execute(_RIVALS, (self._subject.run.id, collections)):
                    held: set[Key] = set()
                    for expected in self._ways(collection, bytes(document)):
                        flow = expected.flow
                        if flow is None or not expected.rows:
                            continue
                        by_id = columns == (shape.owner,) and flow.table == shape.table
                        held.update([(id_of(expected, flow),)] if by_id else self._values(shape, columns, expected))
                    found.update(held)
            self._rivals[shape.table, columns] = found
        return any(self._rivals[shape.table, columns][one] > 1 for one in values)

    def _leads_nowhere(self, letter: _Letter, expected: Expected) -> bool:
        return any(self._has_lost(letter, one) for one in (expected, *self._parts(letter, expected)))

    def _has_lost(self, letter: _Letter, expected: Expected) -> bool:
        for shape in self._shapes.values():
            routed = {name for names in shape.routes for name in names}
            for names in [*shape.routes, *((name,) for name in shape.references if name not in routed)]:
                if letter.column == f"{shape.table}.{'|'.join(names)}":
                    return self._is_lost(shape, names, expected)
        return False

    def _is_lost(self, shape: Shape, names: Sequence[str], expected: Expected) -> bool:
        """Tell whether a document holds a value in a reference, or in all columns of a route, that leads nowhere."""
        if len(names) == 1:
            reference = shape.references[names[0]]
            return any(not self._leads(reference, one, expected) for one in _met(shape, names[0], expected))
        for row in expected.rows.get(shape.table, ()):
            forms = {name: form_of(row.get(name), shape.columns[name]) for name in names}
            values = {name: str(form) for name, form in forms.items() if form is not None}
            if values and not any(self._leads(shape.references[name], one, expected) for name, one in values.items()):
                return True
        return False

    def _leads(self, reference: Reference, value: str, expected: Expected) -> bool:
        """Tell whether a value leads to a row, or to the document itself."""
        flow, place = expected.flow, self._finishing.place(reference)
        if flow is not None and place[0] == flow.table and value == id_of(expected, flow):
            return True
        if place in self._finishing.known:
            return self._finishing.resolved(reference, value) is not None
        look_up = self._finishing.look_up
        return look_up is None or look_up.find(place, value) is not None

    def _may_be_too_long(self, _letter: _Letter, expected: Expected) -> bool:
        rows = [row for some in (expected.rows, expected.pending) for table in some.values() for row in table]
        sizes = (sum(len(str(value).encode("utf-8", "replace")) for value in row.values()) for row in rows)
        return max(sizes, default=0) >= _SURELY_SHORT_BYTES

    def _load(self, letter: _Letter) -> str:
        """Ask the server again for a document that it refused while it was loaded."""
        subject = self._subject
        if letter.code != "target-refused":
            return "that is no reason to refuse a document there"
        if subject.run.retries:
            raise _Unasked(_NOT_ASKED)
        batch = subject.transcoders(letter.collection)[0].transcode(letter.document)
        if batch.rejects:
            return ""  # who compares it with what can be carried sees it
        if batch.skipped:
            return "a rule leaves it behind"
        try:
            with subject.connection.transaction(force_rollback=True):
                for table in subject.plan_tables(letter.collection):
                    if batch.rows(table.index) and table.kind != "pending" and table.waiting is None:
                        place = sql.Identifier("pg_temp", f"isthmus_again_{table.index}")
                        self._make_like(place, table.name, table.columns)
                        names = sql.SQL(", ").join(map(sql.Identifier, table.columns))
                        copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(place, names)
                        data, rows = batch.copy_data(table.index), batch.rows(table.index)
                        send_copy(subject.connection, copy, table.name, data, rows)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
            raise _Unasked(_NO_TABLES) from None
        except psycopg.Error as fault:
            if meaning(fault) == "transient":
                raise
            return ""
        return "PostgreSQL takes its rows"

    def _make_like(self, place: sql.Identifier, table: str, names: Sequence[str]) -> None:
        schema = self._subject.schema
        columns: list[sql.Composable] = []
        for name in names:
            kind: Any = schema.tables[table].column(name).type.sql(schema.schema)
            columns.append(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)))
        self._subject.connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(place, sql.SQL(", ").join(columns))
        )


def _met(shape: Shape, name: str, expected: Expected) -> Iterator[str]:
    """Yield the values of a reference that a document holds, as they are loaded."""
    reference = shape.references[name]
    for row in expected.pending.get(f"{shape.table}.{name}", ()):
        value = row.get("value", row.get(name))
        if value is not None:
            yield str(form_of(value, reference.type))
    if reference.lookup:
        return
    for row in expected.rows.get(shape.table, ()):
        form = form_of(row.get(name), shape.columns[name])
        yield from (str(one) for one in (form if isinstance(form, list) else [form]) if one is not None)
