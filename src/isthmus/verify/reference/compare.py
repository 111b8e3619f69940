"""Compares every row of the target with what the oracle expects, both ways: missing, extra, different.

Reads the finished target with plain SELECTs in chunks of root keys; writes nothing. Memory is bounded by the chunk,
plus eight bytes for each row seen (so that a surplus can be named at the end without holding the rows); the rows of a
table that keeps neither id nor key are held and compared all at once, and what rows of other documents are looked up by
is held too.

Accounted for, and no difference: a document among the dead letters, a reference set to null, an element or a pair
dropped, each only where `Accounts` says so; an account that is stated but did not happen is a difference.

Blind spots: those of the canonical forms (`forms`) and of looking up (`finishing`); two surplus rows whose 64-bit
digests of the key collide with expected ones (about one in 10^19 a pair); rows written while the comparison reads.
Documents that `on_duplicate: merge` joins into one row are expected as that row; where `Accounts` knows, the ledger of
who was joined into whom, and in which columns it says something else, is compared too, once the whole target is.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from isthmus.verify.reference import Expected, Reference, Shape
from isthmus.verify.reference.accounts import Accounts, GivenAccounts, Source, digest_of
from isthmus.verify.reference.became import Word
from isthmus.verify.reference.finishing import NOTHING, Finishing, LookUp, There, id_of
from isthmus.verify.reference.forms import Form, input_form, read_form, sql_form
from isthmus.verify.reference.joining import merged_names
from isthmus.verify.reference.printed import printed
from isthmus.verify.reference.rules import Flow
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
        type: Of a column that differs; a row's parts are printed already.
    """

    table: str
    id: str
    path: str
    expected: Form
    actual: Form
    what: str
    type: Type | None = None


@dataclass
class Totals:
    """What was compared.

    Attributes:
        documents: Documents read, by collection.
        rejected: Documents the oracle refuses, by collection.
        merged: Documents that were joined into others, by collection.
        rows: Rows expected and looked for, by table (a pair that both sides state counts once).
        values: Values of them that are not NULL, by table and column.
        became: What values became that the mapping replaces or fills in, of documents that have rows; as in `Journal`.
    """

    documents: Counter[str] = field(default_factory=Counter[str])
    rejected: Counter[str] = field(default_factory=Counter[str])
    merged: Counter[str] = field(default_factory=Counter[str])
    rows: Counter[str] = field(default_factory=Counter[str])
    values: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    became: Counter[tuple[str, Word, Word]] = field(default_factory=Counter[tuple[str, Word, Word]])


class Comparison:
    """One comparison of a target with documents.

    Args:
        reference: The oracle.
        connection: To the target; used for SELECTs only, in the caller's transaction (repeatable read is best).
        accounts: What the ledgers account for.
        look_up: See `Finishing`.
        there: See `Finishing`.
        check_stop: Called now and then; raises what ends the comparison.
    """

    def __init__(
        self,
        reference: Reference,
        connection: Connection,
        accounts: Accounts | None = None,
        look_up: LookUp | None = None,
        check_stop: Callable[[], None] = lambda: None,
        there: There | None = None,
    ) -> None:
        self.reference = reference
        self.connection = connection
        self.accounts: Accounts = accounts or GivenAccounts()
        selects = {name: partial(self._selects, reference.shapes[name]) for name in reference.rules.merging}
        self.check_stop = check_stop
        self.finishing = Finishing(reference.rules, self.accounts, selects, look_up, check_stop, there)
        self.totals = Totals()
        self.seen: dict[str, array[int]] = defaultdict(lambda: array("Q"))
        self.missing: Counter[str] = Counter()
        self.held: dict[str, list[Row]] = defaultdict(list)
        self.learned = not self.finishing.must_learn

    def again(self) -> Comparison:
        """Return another comparison of the same target, which knows what this one has learned and compared nothing."""
        other = Comparison(
            self.reference, self.connection, self.accounts, self.finishing.look_up, check_stop=self.check_stop
        )
        other.finishing, other.learned = self.finishing, self.learned
        return other

    def differences(self, documents: Iterable[tuple[str, bytes]]) -> Iterator[Difference]:
        """Compare these documents' rows, then look for rows that belong to none of them.

        Args:
            documents: (collection, raw BSON) of every document of every mapped collection, in any order. They are gone
                through twice, and held in memory between, where rows depend on other documents and `learn` has not
                been called.
        """
        if not self.learned:
            documents = list(documents)
            self.learn(documents)
        yield from self.of_documents(documents)
        for shape in self.reference.shapes.values():
            yield from self.whole(shape) if is_held(shape) else self.surplus(shape.table)
        yield from self.ledgers()

    def learn(self, documents: Iterable[tuple[str, bytes]]) -> None:
        """Go through all documents once, for what the final form of rows depends on.

        Where rows can be looked up, those of `Finishing.to_learn` are enough, and of the others in `Finishing.joinings`
        whole groups of those that are joined.
        """
        for collection, raw in documents:
            self.check_stop()
            if not self.accounts.dead(collection, raw):
                result = self.reference.expected(collection, raw)
                if result.flow is not None and result.rows and result.flow.table in self.finishing.of_use:
                    self.finishing.learn(result.flow, result)
        self.finishing.settle()
        self.learned = True

    def of_documents(
        self, documents: Iterable[tuple[str, bytes]], on_document: Callable[[], None] = lambda: None
    ) -> Iterator[Difference]:
        """Compare these documents' rows only; a sample is fine, and says nothing about surplus rows.

        Rows of tables that keep neither id nor key are remembered for `whole`. Where rows depend on other documents,
        `learn` all of them first.

        Args:
            documents: (collection, raw BSON).
            on_document: Called for each.
        """
        stream = iter(documents)
        while chunk := list(islice(stream, CHUNK_DOCUMENTS)):
            yield from self._chunk(chunk, on_document)

    def _chunk(self, documents: Sequence[tuple[str, bytes]], on_document: Callable[[], None]) -> Iterator[Difference]:
        expected: dict[str, dict[str, Row]] = defaultdict(dict)
        owners: dict[str, list[str]] = defaultdict(list)
        carried: list[Expected] = []
        for collection, raw in documents:
            self.check_stop()
            on_document()
            self.totals.documents[collection] += 1
            result = self.reference.expected(collection, raw)
            if result.skipped is not None:
                continue
            if result.flow is None or result.rejected is not None:
                self.totals.rejected[collection] += 1
            else:
                dead = self.accounts.dead(collection, raw)
                self._own(result.flow, result, owners, dead=dead)
                if not dead:
                    self.totals.became.update(result.journal.became)
                    self.totals.merged[collection] += self.finishing.is_joined(result.flow, result)
                    carried.append(result)
        self.finishing.prepare(carried)
        for result in carried:
            self.check_stop()
            yield from self._place(result, expected)
        for shape in self.reference.shapes.values():
            if is_held(shape):
                continue
            rows = expected[shape.table]
            if shape.kind == "junction" or keeps_no_id(shape):
                actual = self._fetch_keyed(shape, list(rows.values()))
            else:
                actual = self._fetch_owned(shape, owners[shape.table])
            yield from self._match(shape, rows, actual, both_ways=shape.owner is not None)
            # What is there and should not be is named once, not again as a surplus.
            self.seen[shape.table].extend(digest_of(key.encode("utf-8")) for key in rows.keys() | actual.keys())

    def _own(self, flow: Flow, result: Expected, owners: dict[str, list[str]], *, dead: bool) -> None:
        """Note whose rows are to be fetched: those of a dead letter too, for there must be none.

        Where several flows fill a table, the id of a dead letter may be another flow's row; its own is then looked for
        among the surplus.
        """
        alone = dead or self.finishing.is_joined(flow, result)
        numbers = {flow.number, *(one.flow.number for one in ([] if alone else self.finishing.group(flow, result)))}
        for shape in self.reference.shapes.values():
            if numbers.intersection(shape.flows) and not (dead and len(shape.flows) > 1):
                owners[shape.table].append(id_of(result, flow))

    def _place(self, result: Expected, expected: dict[str, dict[str, Row]]) -> Iterator[Difference]:
        """Sort one document's rows by table and key, less what is accounted for."""
        finished = self.finishing.finished(result)
        for shape, forms in finished.rows:
            if is_held(shape):
                self.held[shape.table].append(forms)
            else:
                expected[shape.table][key_of(forms, shape)] = forms
        for table, pair in finished.lost:
            yield Difference(table, "/".join(pair), "(row)", list(pair), None, "missing")

    def whole(self, shape: Shape) -> Iterator[Difference]:
        """Compare a table that keeps neither id nor key with all its expected rows at once, row by row."""
        there = [_read(values, shape) for values in self.connection.execute(self._select(shape))]
        wanted, found = (Counter(map(_as_text, rows)) for rows in (self.held[shape.table], there))
        self.totals.rows[shape.table] += wanted.total()
        rows = {_as_text(row): row for row in (*self.held[shape.table], *there)}
        for text in (wanted - found).elements():
            yield Difference(shape.table, _name(rows[text]), "(row)", _summary(rows[text], shape), None, "missing")
        for text in (found - wanted).elements():
            yield Difference(shape.table, _name(rows[text]), "(row)", None, _summary(rows[text], shape), "extra")

    def ledgers(self) -> Iterator[Difference]:
        """Compare who was joined into whom, and what they say otherwise, with what the ledgers know of it.

        A reference may be listed that says the same in the end: what it points at was perhaps joined later.
        """
        into, otherwise = self.accounts.joined(), self.accounts.said_otherwise()
        joined: dict[Source, str] = {}
        differing: dict[Source, list[str]] = {}
        may_be_listed: dict[Source, set[str]] = {}
        for shape, one, keeper, names in self.finishing.expected_joined():
            self.check_stop()
            source = (one.flow.collection, one.id)
            if one.id != keeper.id:
                joined[source] = keeper.id
            may_be_listed[source] = self.finishing.pointing_at_joined(shape)
            if names:
                differing[source] = names
        shapes = {flow.collection: self.reference.shapes[flow.table] for flow in self.reference.rules.flows}
        if into is not None:
            yield from _entries(shapes, "(joined into)", joined, into)
        if otherwise is not None:
            listed: dict[Source, list[str]] = {}
            for source, names in otherwise.items():
                passed_over = may_be_listed.get(source, set()) - set(differing.get(source, ()))
                if left := [name for name in merged_names(shapes[source[0]], names) if name not in passed_over]:
                    listed[source] = left
            yield from _entries(shapes, "(conflict)", differing, listed)

    def _selects(self, shape: Shape, where: str, rows: Sequence[Row]) -> list[bool]:
        """Whether the condition of a partial index holds for each row, by the server's own word."""
        lost = [{name for name, form in row.items() if _is_lost(form)} for row in rows]
        written = [
            {name: input_form(form, shape.columns[name]) for name, form in row.items() if name not in without}
            for row, without in zip(rows, lost, strict=True)
        ]
        query = sql.SQL(
            'SELECT ({}\n) IS TRUE FROM jsonb_array_elements({}) WITH ORDINALITY AS j("- row", "- number")'
            ' CROSS JOIN LATERAL jsonb_populate_record(NULL::{}, j."- row") ORDER BY j."- number"'
        ).format(
            sql.SQL(cast("LiteralString", where)),
            sql.Literal(Jsonb(written)),
            sql.Identifier(self.reference.rules.schema, shape.table),
        )
        return [row[0] for row in self.connection.execute(query)]

    def _match(
        self, shape: Shape, expected: dict[str, Row], actual: dict[str, Row], *, both_ways: bool
    ) -> Iterator[Difference]:
        self.totals.rows[shape.table] += len(expected)
        for key, row in expected.items():
            there = actual.get(key)
            if there is None:
                self.missing[shape.table] += 1
                yield Difference(shape.table, key, "(row)", _summary(row, shape), None, "missing")
                continue
            for column, form in row.items():
                if form is not None:
                    self.totals.values[shape.table, column] += 1
                if there[column] != form:
                    kind = shape.final.get(column)
                    yield Difference(shape.table, key, column, form, there[column], "different", kind)
        if both_ways:
            for key, row in actual.items():
                if key not in expected:
                    yield Difference(shape.table, key, "(row)", None, _summary(row, shape), "extra")

    def _fetch_owned(self, shape: Shape, owners: list[str]) -> dict[str, Row]:
        """Rows that belong to these root keys."""
        if shape.owner is None or not owners:
            return {}
        wanted = _array(owners, shape.columns[shape.owner])
        return self._fetch(shape, sql.SQL("{} = ANY({})").format(sql.Identifier(shape.owner), wanted))

    def _fetch_keyed(self, shape: Shape, rows: list[Row]) -> dict[str, Row]:
        """The rows with exactly these keys, where they are there."""
        rows = [row for row in rows if not any(row[name] is None or _is_lost(row[name]) for name in shape.key)]
        if not rows:
            return {}
        enums = {name for name in shape.key if shape.columns[name].kind == "enum"}  # compared by their labels
        names = sql.SQL(", ").join(
            sql.SQL("{}::text" if name in enums else "{}").format(sql.Identifier(name)) for name in shape.key
        )
        values = sql.SQL(", ").join(_array([row[name] for row in rows], shape.columns[name]) for name in shape.key)
        parts = sql.SQL(", ").join(sql.Identifier(f"k{number}") for number in range(len(shape.key)))
        where = sql.SQL("({}) IN (SELECT {} FROM unnest({}) AS k({}))").format(names, parts, values, parts)
        return self._fetch(shape, where)

    def holds_any(self, shape: Shape, columns: Sequence[str], rows: list[Row], where: str | None = None) -> bool:
        """Whether the target has a row with the values of one of some rows in some columns, none of them an array.

        Args:
            shape: The table.
            columns: The columns.
            rows: Their values.
            where: A condition (SQL) that the row must meet besides.
        """
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        values = sql.SQL(", ").join(_array([row[name] for row in rows], shape.columns[name]) for name in columns)
        parts = sql.SQL(", ").join(sql.Identifier(f"- {number}") for number in range(len(columns)))
        found = self.connection.execute(
            sql.SQL(
                "SELECT EXISTS (SELECT FROM {} WHERE ({}) IN (SELECT {} FROM unnest({}) AS k({})) AND ({}\n))"
            ).format(
                sql.Identifier(self.reference.rules.schema, shape.table),
                names,
                parts,
                values,
                parts,
                sql.SQL(cast("LiteralString", where or "true")),
            )
        ).fetchone()
        return found is not None and bool(found[0])

    def _select(self, shape: Shape) -> sql.Composed:
        columns = [
            sql.SQL(cast("LiteralString", sql_form(sql.Identifier(name).as_string(self.connection), kind)))
            for name, kind in shape.final.items()
        ]
        table = sql.Identifier(self.reference.rules.schema, shape.table)
        return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(columns), table)

    def _fetch(self, shape: Shape, where: sql.Composed) -> dict[str, Row]:
        # values stand in the statement: of one with parameters the driver takes percent signs in names for these
        query = sql.SQL("{} WHERE {}").format(self._select(shape), where)
        found: dict[str, Row] = {}
        for values in self.connection.execute(query):
            row = _read(values, shape)
            found[key_of(row, shape)] = row
        return found

    def surplus(self, table: str) -> Iterator[Difference]:
        """Rows of a table whose key no document compared so far has; reads the whole table only if there are any."""
        shape = self.reference.shapes[table]
        distinct = _distinct(self.seen[table])
        name = sql.Identifier(self.reference.rules.schema, table)
        counted = self.connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()
        if counted is not None and counted[0] == len(distinct) - self.missing[table]:
            return
        with self.connection.cursor(name="surplus") as cursor:
            for values in cursor.execute(self._select(shape)):
                row = _read(values, shape)
                wanted = digest_of(key_of(row, shape).encode("utf-8"))
                at = bisect_left(distinct, wanted)
                if at == len(distinct) or distinct[at] != wanted:
                    yield Difference(table, key_of(row, shape), "(row)", None, _summary(row, shape), "extra")


def compare(
    reference: Reference,
    connection: Connection,
    documents: Iterable[tuple[str, bytes]],
    accounts: Accounts | None = None,
) -> Iterator[Difference]:
    """Compare a whole target with all its documents; see `Comparison`, which also keeps totals and takes samples."""
    return Comparison(reference, connection, accounts).differences(documents)


def _read(values: Sequence[Any], shape: Shape) -> Row:
    return {name: read_form(value, kind) for (name, kind), value in zip(shape.final.items(), values, strict=True)}


def _distinct(digests: array[int]) -> array[int]:
    """Return numbers sorted and each once, in parts: as objects of Python they take many times the room."""
    found = array("Q")
    for part in range(16):
        found.extend(sorted({one for one in digests if one >> 60 == part}))
    return found


def _is_lost(form: Form) -> bool:
    """Whether a form, or one inside an array, stands for a value that points at nothing."""
    if isinstance(form, list):
        return any(_is_lost(inner) for inner in form)
    return str(form).startswith(NOTHING)


def _summary(row: Row, shape: Shape) -> list[str | None]:
    """Return each column of a row with its value, as a person reads it."""
    return [f"{name}={printed(form, shape.final.get(name))}"[:200] for name, form in row.items()]


def _name(row: Row) -> str:
    """Name a row that has no key by all it holds."""
    return "/".join("NULL" if form is None else str(form) for form in row.values())


def _as_text(row: Row) -> str:
    return "\n".join(f"{name}={form!r}" for name, form in row.items())


def keeps_no_id(shape: Shape) -> bool:
    """Whether a root table's rows can be found by their key at most."""
    return shape.kind == "root" and shape.owner is None


def is_held(shape: Shape) -> bool:
    """Whether a table's rows can only be compared all at once, for it keeps neither id nor key to find them by."""
    return keeps_no_id(shape) and not shape.key


def key_of(row: Row, shape: Shape) -> str:
    """What tells a finished row, its parts joined with `/`: the id where there is one, else the key."""
    names = (shape.owner,) if shape.kind == "root" and shape.owner is not None else shape.key
    return "/".join(str(row[name]) for name in names)


def _entries(
    shapes: dict[str, Shape], path: str, wanted: Mapping[Source, Any], there: Mapping[Source, Any]
) -> Iterator[Difference]:
    for source in sorted(wanted.keys() | there.keys()):
        expected, actual = wanted.get(source), there.get(source)
        what = "missing" if actual is None else "extra" if expected is None else "different"
        if expected != actual:
            yield Difference(shapes[source[0]].table, source[1], path, expected, actual, what)


def _array(forms: Sequence[Form], kind: Type) -> sql.Composed:
    """SQL of an array of values of a type, given their canonical forms."""
    return sql.SQL("{}::{}[]").format(sql.Literal([str(input_form(form, kind)) for form in forms]), _sql_type(kind))


def _sql_type(kind: Type) -> sql.SQL:
    names = {"double": "double precision", "enum": "text"}
    return sql.SQL(cast("LiteralString", names.get(kind.kind, kind.kind)))
