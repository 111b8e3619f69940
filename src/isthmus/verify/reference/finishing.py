"""What only all documents together tell: values looked up, routes, elements that point at nothing, joined documents.

First every document is learned: which rows there are, and by which values others may refer to them. Then `settle` finds
which documents are one (`joining`), and each row is brought to its final form. What pointed at a joined document points
at the row it became part of, by whatever value. Its child rows stand behind those of the documents before it, in the
order of `_id`, and are numbered on. What points at nothing becomes what `Accounts` says happened to it, and a
difference where it says nothing; it is not believed about values that do point at a row.

A reference of a joined row that lost what it points at before the joining gives way to another document's value; one
that lost it behind the joining leaves its place empty, and so the row's is.

Blind spots: rows that one of several documents with the same unique value made are those of the last one learned,
where such documents are not joined; whether the document that stays lost a value before the joining or behind it is
believed of what the ledger says that the others say otherwise; rows of a target that were there before the copy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, cast

from isthmus.verify.reference.accounts import Accounts
from isthmus.verify.reference.ahead import look_ahead
from isthmus.verify.reference.columns import Json
from isthmus.verify.reference.documents import Expected, Row, own_id
from isthmus.verify.reference.forms import Form, form_of
from isthmus.verify.reference.joining import (
    Candidate,
    Forms,
    Joining,
    Selects,
    filled,
    in_turn,
    merged_names,
    says_otherwise,
)
from isthmus.verify.reference.reading import Rules
from isthmus.verify.reference.rules import Flow, Reference
from isthmus.verify.reference.shapes import HIDDEN_ID, Shape
from isthmus.verify.reference.values import Type
from isthmus.verify.reference.written import moved

Waiting = dict[tuple[str, tuple[Any, ...]], list[Row]]
"""Waiting values by (`table.column`, key of the row they belong to)."""
NOTHING = "(nothing has"
"""What a form begins with that stands for a value which points at nothing and is not accounted for."""
ID = ""
"""Stands for the id among the columns a row may be known by."""


class _Later(str):
    """The form of a value of a document's own row that the ledger says was set to NULL under the id of the row which it
    became part of: it may have stood there, and have pointed at something, until then."""

    __slots__ = ()


class LookUp(Protocol):
    """What references to rows finally hold, of rows that are not learned."""

    def find(self, place: tuple[str, str], value: str, /) -> str | None:
        """What a reference to the row with this value in (table, column or `ID`) holds; None for no such row."""
        ...

    def prepare(self, place: tuple[str, str], values: Collection[str], /) -> None:
        """Look several values up at once: they will be asked for."""
        ...


class There(Protocol):
    """Where documents are, in tables that were there before: some of them are rows with other ids."""

    def prepare(self, table: str, document_ids: Collection[str], /) -> None:
        """Look several documents up at once: they will be asked for."""
        ...

    def row_of(self, table: str, document_id: str, /) -> str:
        """The id of the row that a document is; its own where it is no other."""
        ...

    def has(self, table: str, document_id: str, /) -> bool:
        """Whether the table has the row that a document with this id is, whoever brought it."""
        ...


@dataclass
class Finished:
    """Rows of one document, and of those joined into it, in their final form.

    Attributes:
        rows: (table, forms of its final columns).
        lost: (junction table, values in column order) of pairs with an end that is not there and not accounted for.
    """

    rows: list[tuple[Shape, Forms]] = field(default_factory=list["tuple[Shape, Forms]"])
    lost: list[tuple[str, list[str]]] = field(default_factory=list["tuple[str, list[str]]"])


@dataclass(frozen=True)
class Known:
    """A row that others refer to.

    Attributes:
        id: Its id, which the finished table may not have.
        held: What a reference to it holds.
    """

    id: str
    held: str


@dataclass(frozen=True)
class Keys:
    """How ledgers name a row: by the document it came with, and as part of the one it was joined into."""

    own: str
    joined: str


class Finishing:
    """Brings rows to their final form.

    Args:
        rules: The mapping.
        accounts: What the ledgers say.
        selects: Tells which rows the condition of a partial unique index selects, given its table.
        look_up: Of rows that are not learned; None: every row is learned.
        check_stop: Called now and then while documents are joined; raises what ends that.
        there: Where documents are, if they may be other rows; not asked about references that are looked up.

    Attributes:
        passed_over: Junction tables whose pairs nobody asks about; none are made of them.
    """

    def __init__(
        self,
        rules: Rules,
        accounts: Accounts,
        selects: Mapping[str, Selects],
        look_up: LookUp | None = None,
        check_stop: Callable[[], None] = lambda: None,
        there: There | None = None,
    ) -> None:
        self.passed_over: frozenset[str] = frozenset()
        self.there = there
        self.look_up = look_up
        self.check_stop = check_stop
        self.language = rules.language
        self.shapes = rules.shapes
        self.accounts = accounts
        self.joinings = {table: Joining(self.shapes[table], selects[table]) for table in sorted(rules.merging)}
        self.known: dict[tuple[str, str], dict[str, Known]] = {place: {} for place in self._places()}

    def _places(self) -> Iterator[tuple[str, str]]:
        """(table, column) of all values that have to be known before a row's final form can be told."""
        for shape in self.shapes.values():
            routed = {name for names in shape.routes for name in names}
            for name, reference in shape.references.items():
                place = self.place(reference)
                if reference.lookup or name in routed or shape.columns[name].array or place[0] in self.joinings:
                    yield place

    @property
    def must_learn(self) -> bool:
        """Whether any row's final form depends on other documents, and these are not looked up."""
        return bool(self.to_learn)

    @cached_property
    def to_learn(self) -> frozenset[str]:
        """The root tables of whose documents all must be learned.

        Where others can be looked up in the target, these are still those that keep no id by which they could be found.
        Of the others whose documents are joined only those must be learned that are joined with another.
        """
        if self.look_up is None:
            return frozenset({table for table, _ in self.known} | self.joinings.keys())
        asked = {table for table, column in self.known if column == ID} | self.joinings.keys()
        return frozenset(table for table in asked if self.shapes[table].owner is None)

    @cached_property
    def of_use(self) -> frozenset[str]:
        """The root tables of which something is to be learned."""
        return self.to_learn | self.joinings.keys()

    def place(self, reference: Reference) -> tuple[str, str]:
        """(table, column) that a reference's value is looked for in; `ID` stands for the id."""
        return self.language.table(reference.entry), reference.by.name if reference.by is not None else ID

    def learn(self, flow: Flow, result: Expected) -> None:
        """Remember the row a document makes; not for dead letters."""
        shape = self.shapes[flow.table]
        row = result.rows[flow.table][0]
        held = flow.id_column.name
        if held == HIDDEN_ID and len(shape.key) == 1:
            held = shape.key[0]
        row_id = id_of(result, flow)
        own = Known(row_id, self._met(shape, held, flow, result))
        for (table, column), found in self.known.items():
            name = column or flow.id_column.name
            if table == flow.table and row.get(name) is not None:
                found[str(form_of(row[name], shape.columns[name]))] = own
        if flow.table in self.joinings:
            self.joinings[flow.table].add(Candidate.of(flow, result, (row_id, own.held)))

    def _met(self, shape: Shape, held: str, flow: Flow, result: Expected) -> str:
        """What a document has in the column that others refer by; where that is looked up, the value that waits."""
        row = result.rows[shape.table][0]
        reference = shape.references.get(held)
        if reference is None or not reference.lookup:
            return str(form_of(row.get(held), shape.columns[held]))
        place = f"{shape.table}.{held}", tuple(row[name] for name in loaded_key(shape, flow))
        values = sort_by_row(result.pending).get(place, [])
        return str(_form(values[0]["value"], reference.type) if values else None)

    def settle(self) -> None:
        """Find out which documents are one, when all are learned: what is joined may make others hold one value."""

        def root_of(candidate: Candidate) -> Forms:
            self.check_stop()
            return without_later(self._root_of(candidate))

        while any(joining.join(root_of) for joining in self.joinings.values()):
            pass

    def is_joined(self, flow: Flow, result: Expected) -> bool:
        """Whether a document became part of another's row."""
        group = self.group(flow, result)
        return bool(group) and group[0].id != id_of(result, flow)

    def group(self, flow: Flow, result: Expected) -> list[Candidate]:
        """A document and all that are one with it, the one that stays first; empty where none are joined, as far as is
        learned."""
        joining = self.joinings.get(flow.table)
        return joining.group_of.get(id_of(result, flow), []) if joining is not None else []

    def prepare(self, results: Iterable[Expected]) -> None:
        """Look up at once what the rows of some documents refer to."""
        if self.look_up is None and self.there is None:
            return
        ahead = look_ahead(self._with_joined(results), self.shapes, self.place, self.passed_over)
        for place, values in ahead.items():
            if self.look_up is not None and place in self.known and place[0] not in self.to_learn:
                self.look_up.prepare(place, values - self.known[place].keys())
            if self.there is not None and place[1] == ID:
                self.there.prepare(place[0], values)

    def _with_joined(self, results: Iterable[Expected]) -> Iterator[Expected]:
        """These documents, those that were joined into others together with the one that stays."""
        for result in results:
            group = self.group(result.flow, result) if result.flow is not None else []
            if len(group) < 2:
                yield result
            elif result.flow is not None and not self.is_joined(result.flow, result):
                yield from (one.result for one in group)

    def resolved(self, reference: Reference, value: str) -> str | None:
        """What a reference finally holds; None when nothing has that value."""
        place = self.place(reference)
        found = self.known[place].get(value)
        if found is None:
            if self.look_up is None or place[0] in self.to_learn:
                return None
            held = self.look_up.find(place, value)
            if held is None and place[1] == ID and self.there is not None and self.there.has(place[0], value):
                held = value
            return held if held is None or reference.lookup else value
        joining = self.joinings.get(self.language.table(reference.entry))
        keeper = joining.keeper(found.id) if joining is not None else None
        if reference.lookup:
            return self._held(reference.entry, keeper.held if keeper is not None else found.held)
        if joining is None or keeper is None or len(joining.group_of[found.id]) == 1:
            return value
        if reference.by is None:
            return keeper.id
        kind = joining.shape.columns[reference.by.name]
        group = joining.group_of[found.id]
        rows = [one.result.rows[joining.shape.table][0] for one in group]
        rows = in_turn(joining.shape, reference.by.name, group, rows)
        return next(str(form_of(row[reference.by.name], kind)) for row in rows if row[reference.by.name] is not None)

    def _held(self, entry: str, held: str) -> str | None:
        """What a reference holds: the id, or the key, which may be a reference itself, to a key that is one as well."""
        shape = self.shapes[self.language.table(entry)]
        reference = shape.references.get(shape.key[0]) if shape.owner is None and len(shape.key) == 1 else None
        if reference is None:
            return held
        return self.resolved(reference, held) if reference.lookup else self.pointing(reference, held)

    def pointing(self, reference: Reference, value: str) -> str:
        """What a reference finally holds; the same value when nothing has it, or nobody needs to know."""
        place = self.place(reference)
        if place not in self.known:
            return value
        found = self.resolved(reference, value)
        return found or (self.accounts.left(place[0], value) if place[1] == ID else None) or value

    def finished(self, result: Expected) -> Finished:
        """The rows of a carried document in their final form, with those of all that were joined into it."""
        flow = result.flow
        if flow is None:
            return Finished()
        group = self.group(flow, result)
        if len(group) < 2:
            return self.alone(result)
        found, roots = Finished(), list[Forms]()
        if self.is_joined(flow, result):
            return found
        root = self.shapes[flow.table]
        shifts: Counter[str] = Counter()
        for one in group:
            alone = self._alone(one.flow, one.result, group[0].id, shifts)
            roots += [forms for shape, forms in alone.rows if shape is root]
            found.rows += [(shape, without_later(forms)) for shape, forms in alone.rows if shape is not root]
            found.lost += alone.lost
            for table, rows in one.result.rows.items():
                if self.shapes[table].above == root.table:
                    shifts[table] += len(rows)
        found.rows.append((root, without_later(self._filled(root, roots, group))))
        return found

    def alone(self, result: Expected) -> Finished:
        """The rows of a document in their final form, as if it were joined with none."""
        flow = result.flow
        if flow is None:
            return Finished()
        found = self._alone(flow, result, id_of(result, flow), Counter())
        found.rows = [(shape, without_later(forms)) for shape, forms in found.rows]
        return found

    def expected_joined(self) -> Iterator[tuple[Shape, Candidate, Candidate, list[str]]]:
        """(table, joined document, document that stays, columns in which the first has other values) of each.

        The document that stays is among them where its own values may be lost to another one's.
        """
        for joining in self.joinings.values():
            for group in joining.groups:
                roots = [self._root_of(one) for one in group]
                row = self._filled(joining.shape, roots, group)
                start = 0 if joining.shape.wins else 1
                for one, alone in zip(group[start:], roots[start:], strict=True):
                    yield joining.shape, one, group[0], says_otherwise(joining.shape, row, alone, one.defaults)

    def _filled(self, shape: Shape, roots: list[Forms], group: Sequence[Candidate]) -> Forms:
        """The one row of several documents, with `_Later` where it lost a value behind the joining; see `filled`.

        Of the document that stays the ledger names both kinds of orphans alike. Where it lost a value before, the next
        document's took the place and says nothing else than the row.
        """
        listed = self.accounts.said_otherwise() or {}
        for column, form in roots[0].items():
            if not isinstance(form, _Later):
                continue
            turn = in_turn(shape, column, group, list(zip(group, roots, strict=True)))
            other = next((one for one, row in turn if one is not group[0] and row[column] is not None), None)
            source = None if other is None else (other.flow.collection, other.id)
            said = merged_names(shape, listed.get(source, ())) if source is not None else None
            if said is not None and not {*merged_names(shape, [column])}.intersection(said):
                roots[0] = {**roots[0], column: None}
        return filled(shape, roots, group)

    def pointing_at_joined(self, shape: Shape) -> set[str]:
        """The columns of a table that refer to tables whose documents are joined, named as by `merged_names`."""
        found = [name for name, one in shape.references.items() if self.language.table(one.entry) in self.joinings]
        return set(merged_names(shape, found))

    def _root_of(self, candidate: Candidate) -> Forms:
        flow, result = candidate.flow, candidate.result
        keeper = self.group(flow, result)[0]
        waiting = sort_by_row(result.pending)
        return self._forms(self.shapes[flow.table], flow, result.rows[flow.table][0], waiting, (keeper.id, 0))

    def _alone(self, flow: Flow, result: Expected, row_id: str, shifts: Counter[str]) -> Finished:
        """One document's own rows, under the id of the row that it became part of, behind child rows before them."""
        found = Finished()
        waiting = sort_by_row(result.pending)
        for table, rows in result.rows.items():
            shape = self.shapes[table]
            if shape.kind == "junction":
                if table not in self.passed_over:
                    self._pairs(shape, "", rows, found)
                continue
            shift = shifts[self._outermost(shape)]
            found.rows += [(shape, self._forms(shape, flow, row, waiting, (row_id, shift))) for row in rows]
        for place, rows in result.pending.items():
            shape = self.shapes[place.partition(".")[0]]
            if shape.kind == "junction" and shape.table not in self.passed_over:
                self._pairs(shape, place.partition(".")[2], rows, found)
        return found

    def _outermost(self, shape: Shape) -> str:
        """The child table of the root that a child table hangs below, or is."""
        while shape.above is not None and self.shapes[shape.above].kind == "child":
            shape = self.shapes[shape.above]
        return shape.table

    def _forms(self, shape: Shape, flow: Flow, row: Row, waiting: Waiting, place: tuple[str, int]) -> Forms:
        """One row's final form, given the id it finally has and how far its outermost position moves."""
        loaded = loaded_key(shape, flow)
        own = [str(form_of(row[name], shape.columns[name])) for name in loaded]
        positions = [str(int(own[1]) + place[1]), *own[2:]] if len(own) > 1 else []
        names = dict(zip(loaded, [place[0], *positions], strict=True))
        forms = {name: form_of(self._pointed(row.get(name)), kind) for name, kind in shape.final.items()}
        keys = Keys("/".join(own), "/".join(names.values()))
        self._references(shape, keys, forms, waiting, tuple(row[name] for name in loaded))
        for routed in shape.routes:
            self._route(shape, keys, routed, forms, row)
        if shape.kind == "child":
            forms.update(names)
        return forms

    def _pointed(self, content: Any) -> Any:
        """JSON whose ids of joined documents point at the rows these became part of."""
        if not isinstance(content, Json) or not (self.joinings or self.there):
            return content
        return Json(moved(content.value, self._row_id))

    def _row_id(self, entry: str, row_id: str) -> str:
        """The id of the row that a document's row is in the end."""
        table = self.language.table(entry)
        joining = self.joinings.get(table)
        if joining is None:
            return self._there(entry, row_id)
        keeper = joining.keeper(row_id)
        return self._there(entry, keeper.id if keeper is not None else self.accounts.left(table, row_id) or row_id)

    def _there(self, entry: str, row_id: str) -> str:
        """The id that the row has in the target."""
        return row_id if self.there is None else self.there.row_of(self.language.table(entry), row_id)

    def _references(self, shape: Shape, keys: Keys, forms: Forms, waiting: Waiting, row: tuple[object, ...]) -> None:
        routed = {name for names in shape.routes for name in names}
        for name, reference in shape.references.items():
            if name in routed:
                continue
            values = waiting.get((f"{shape.table}.{name}", row), [])
            if shape.columns[name].array:
                elements: Form = forms[name]
                if reference.lookup:
                    elements = [_form(one["value"], reference.type) for one in values if one["element"] >= 0]
                    elements = elements if values else None
                forms[name] = self._array(shape.table, keys, name, reference, elements)
            elif reference.lookup:
                value = _form(values[0]["value"], reference.type) if values else None
                forms[name] = self._scalar(shape.table, keys, name, reference, value)
            elif forms[name] is not None:
                forms[name] = self._derived(shape.table, keys, name, reference, str(forms[name]))

    def _derived(self, table: str, keys: Keys, column: str, reference: Reference, value: str) -> Form:
        """A value that needs no looking up; foreign keys say whether it points at something."""
        if keys.own != keys.joined and self.accounts.nulled(table, keys.own, column, value):
            return None
        found = self.pointing(reference, value)
        is_known = self.place(reference) in self.known
        is_lost = is_known and self.resolved(reference, value) is None
        if keys.own == keys.joined and self.accounts.nulled(table, keys.own, column, value):
            return _Later(f"{NOTHING} {found})") if is_lost or not is_known else None
        # of joined documents another one's value may have been there
        own = found if keys.joined == keys.own or not is_known else None
        if (is_lost or not is_known) and self.accounts.nulled(table, keys.joined, column, own):
            return _Later(f"{NOTHING} {found})")
        return found if reference.by is not None else self._there(reference.entry, found)

    def _scalar(self, table: str, keys: Keys, column: str, reference: Reference, value: str | None) -> Form:
        if value is None:
            return None
        return self.resolved(reference, value) or self._lost(table, keys, column, value)

    def _lost(self, table: str, keys: Keys, column: str, value: str) -> Form:
        """What stands for a value that points at nothing."""
        if keys.own != keys.joined and self.accounts.nulled(table, keys.own, column):
            return None
        form = f"{NOTHING} {value})"
        return _Later(form) if self.accounts.nulled(table, keys.joined, column) else form

    def _array(self, table: str, keys: Keys, column: str, reference: Reference, elements: Form) -> Form:
        if not isinstance(elements, list):
            return None
        content: list[str | None] = []
        for position, value in enumerate(elements):
            found = None if value is None else self.resolved(reference, value)
            action = None
            if value is not None and found is None:
                ask = self.accounts.element
                action = ask(table, keys.own, column, position) or ask(table, keys.joined, column, position)
            if value is not None and found is None and action is None:
                content.append(f"{NOTHING} {value})")
            elif action != "drop":
                plain = found is None or reference.lookup or reference.by is not None
                content.append(found if plain else self._there(reference.entry, cast("str", found)))
        return content

    def _route(self, shape: Shape, keys: Keys, names: Sequence[str], forms: Forms, row: Row) -> None:
        value = next((forms[name] for name in names if forms[name] is not None), None)
        points = {
            name: self.resolved(shape.references[name], str(forms[name])) for name in names if forms[name] is not None
        }
        kept = next((name for name, found in points.items() if found is not None), None)
        for name in names:
            to = points.get(name)
            forms[name] = self._there(shape.references[name].entry, to) if to is not None and name == kept else None
        if value is not None and kept is None:
            forms[names[0]] = self._lost(shape.table, keys, "|".join(names), cast("str", value))
        for name in names:
            own = row.get(own_id(name))
            if own is not None and kept is not None and forms[name] is None:
                to = self.resolved(shape.references[name], str(own))
                forms[name] = None if to is None else self._there(shape.references[name].entry, to)

    def _pairs(self, shape: Shape, column: str, rows: Sequence[Row], found: Finished) -> None:
        """Pairs with both ends as they finally are; the named column, if any, is looked up."""
        for row in rows:
            loaded = {name: str(form_of(row[name], self._pair_type(shape, name, column))) for name in shape.columns}
            ends = {name: self._end(shape.references[name], loaded[name], name == column) for name in shape.columns}
            pair = [ends[name] or loaded[name] for name in shape.key]
            if self._dropped(shape, pair, None if column and ends[column] else loaded):
                continue
            if None in ends.values():
                found.lost.append((shape.table, pair))
            else:
                found.rows.append((shape, dict(ends)))

    def _pair_type(self, shape: Shape, name: str, column: str) -> Type:
        return shape.references[name].type if name == column else shape.columns[name]

    def _end(self, reference: Reference, value: str, is_looked_up: bool) -> str | None:
        """One end of a pair; the end that is a document's own is an id, whatever others name it by."""
        if is_looked_up:
            return self.resolved(reference, value)
        if reference.lookup:
            return self._row_id(reference.entry, value)
        return self.pointing(reference, value)

    def _dropped(self, shape: Shape, pair: Sequence[str], loaded: dict[str, str] | None) -> bool:
        """Whether the ledger dropped a pair: as it was when its ends had been joined, or as it was loaded."""
        return self.accounts.dropped(shape.table, pair) or (
            loaded is not None and self.accounts.dropped(shape.table, [loaded[name] for name in shape.key])
        )


def without_later(forms: Forms) -> Forms:
    """A row without the values that it lost behind the joining."""
    return {name: None if isinstance(form, _Later) else form for name, form in forms.items()}


def _form(value: Any, kind: Type) -> str | None:
    form = form_of(value, kind)
    return None if form is None else str(form)


def id_of(result: Expected, flow: Flow) -> str:
    """The id of a carried document's row, which the finished table may not have."""
    return str(form_of(result.rows[flow.table][0][flow.id_column.name], flow.id_column.type))


def loaded_key(shape: Shape, flow: Flow) -> tuple[str, ...]:
    """The columns that tell a row while it is loaded."""
    return (flow.id_column.name,) if shape.kind == "root" else shape.key


def sort_by_row(pending: dict[str, list[Row]]) -> Waiting:
    """Waiting values by the row they belong to, without those of junctions."""
    found: Waiting = {}
    for place, rows in pending.items():
        for row in rows:
            if "root_id" in row:
                positions = [value for name, value in row.items() if name.startswith("position_")]
                found.setdefault((place, (row["root_id"], *positions)), []).append(row)
    return found
