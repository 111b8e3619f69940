"""What only all documents together tell: values that are looked up, routes, elements of arrays that point at nothing.

First every document is learned: which rows there are, and by which values others may refer to them. Then each row is
brought to its final form. What points at nothing becomes what `Accounts` says happened to it, and a difference where it
says nothing; it is not believed about values that do point at a row.

Blind spot: rows that one of several documents with the same unique value made are those of the last one learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from isthmus.verify.reference.accounts import Accounts
from isthmus.verify.reference.documents import Expected, Row
from isthmus.verify.reference.forms import Form, form_of
from isthmus.verify.reference.language import Language
from isthmus.verify.reference.rules import Flow, Reference
from isthmus.verify.reference.shapes import HIDDEN_ID, Shape
from isthmus.verify.reference.values import Type

Forms = dict[str, Form]
Waiting = dict[tuple[str, tuple[Any, ...]], list[Row]]
"""Waiting values by (`table.column`, key of the row they belong to)."""
ID = ""
"""Stands for the id among the columns a row may be known by."""


@dataclass
class Finished:
    """Rows of one document in their final form.

    Attributes:
        rows: (table, key the row is loaded with, forms of its final columns).
        lost: (junction table, values in column order) of pairs with an end that is not there and not accounted for.
    """

    rows: list[tuple[Shape, str, Forms]] = field(default_factory=list["tuple[Shape, str, Forms]"])
    lost: list[tuple[str, list[str]]] = field(default_factory=list["tuple[str, list[str]]"])


class Finishing:
    """Brings rows to their final form.

    Args:
        language: The mapping.
        shapes: Its tables.
        accounts: What the ledgers say.
    """

    def __init__(self, language: Language, shapes: dict[str, Shape], accounts: Accounts) -> None:
        self.language = language
        self.shapes = shapes
        self.accounts = accounts
        self.known: dict[tuple[str, str], dict[str, str]] = {place: {} for place in self._places()}

    def _places(self) -> Iterator[tuple[str, str]]:
        """(table, column) of all values that have to be known before a row's final form can be told."""
        for shape in self.shapes.values():
            routed = {name for names in shape.routes for name in names}
            for name, reference in shape.references.items():
                if reference.lookup or name in routed or shape.columns[name].array:
                    yield self.place(reference)

    @property
    def must_learn(self) -> bool:
        """Whether any row's final form depends on other documents."""
        return bool(self.known)

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
        for (table, column), found in self.known.items():
            name = column or flow.id_column.name
            if table == flow.table and row.get(name) is not None:
                value = str(form_of(row[name], shape.columns[name]))
                found[value] = str(form_of(row.get(held), shape.columns[held]))

    def resolved(self, reference: Reference, value: str) -> str | None:
        """What a reference finally holds; None when nothing has that value."""
        found = self.known[self.place(reference)].get(value)
        return found if reference.lookup or found is None else value

    def finished(self, result: Expected) -> Finished:
        """A carried document's rows in their final form."""
        found = Finished()
        flow = result.flow
        if flow is None:
            return found
        waiting = sort_by_row(result.pending)
        for table, rows in result.rows.items():
            shape = self.shapes[table]
            for row in rows:
                loaded = loaded_key(shape, flow)
                key = "/".join(str(form_of(row[name], shape.columns[name])) for name in loaded)
                forms = {name: form_of(row.get(name), kind) for name, kind in shape.final.items()}
                if shape.kind != "junction":
                    self._references(shape, key, forms, waiting, tuple(row[name] for name in loaded))
                found.rows.append((shape, key, forms))
        for place, rows in result.pending.items():
            shape = self.shapes[place.partition(".")[0]]
            if shape.kind == "junction":
                self._pairs(shape, place.partition(".")[2], rows, found)
        return found

    def _references(
        self,
        shape: Shape,
        key: str,
        forms: Forms,
        waiting: dict[tuple[str, tuple[object, ...]], list[Row]],
        row: tuple[object, ...],
    ) -> None:
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
                forms[name] = self._array(shape.table, key, name, reference, elements)
            elif reference.lookup:
                value = _form(values[0]["value"], reference.type) if values else None
                forms[name] = self._scalar(shape.table, key, name, reference, value)
            elif self.accounts.nulled(shape.table, key, name):
                forms[name] = None
        for names in shape.routes:
            self._route(shape, key, names, forms)

    def _scalar(self, table: str, key: str, column: str, reference: Reference, value: str | None) -> Form:
        if value is None:
            return None
        found = self.resolved(reference, value)
        if found is None and not self.accounts.nulled(table, key, column):
            return f"(nothing has {value})"
        return found

    def _array(self, table: str, key: str, column: str, reference: Reference, elements: Form) -> Form:
        if not isinstance(elements, list):
            return None
        content: list[str | None] = []
        for position, value in enumerate(elements):
            found = None if value is None else self.resolved(reference, value)
            action = None if value is None or found else self.accounts.element(table, key, column, position)
            if value is not None and found is None and action is None:
                content.append(f"(nothing has {value})")
            elif action != "drop":
                content.append(found)
        return content

    def _route(self, shape: Shape, key: str, names: Sequence[str], forms: Forms) -> None:
        value = next((forms[name] for name in names if forms[name] is not None), None)
        kept = next(
            (
                name
                for name in names
                if forms[name] is not None and self.resolved(shape.references[name], str(forms[name])) is not None
            ),
            None,
        )
        for name in names:
            forms[name] = forms[name] if name == kept else None
        if value is not None and kept is None and not self.accounts.nulled(shape.table, key, "|".join(names)):
            forms[names[0]] = f"(nothing has {cast('str', value)})"

    def _pairs(self, shape: Shape, column: str, rows: Sequence[Row], found: Finished) -> None:
        reference = shape.references[column]
        for row in rows:
            other = str(form_of(row[column], reference.type))
            forms = {name: form_of(row[name], kind) for name, kind in shape.columns.items() if name != column}
            forms[column] = self.resolved(reference, other)
            pair = [str(forms[name] if forms[name] is not None else other) for name in shape.key]
            if forms[column] is not None:
                ordered = {name: forms[name] for name in shape.columns}
                found.rows.append((shape, "/".join(pair), ordered))
            elif not self.accounts.dropped(shape.table, pair):
                found.lost.append((shape.table, pair))


def _form(value: Any, kind: Type) -> str | None:
    form = form_of(value, kind)
    return None if form is None else str(form)


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
