"""Documents that are one thing (`on_duplicate: merge`): who is joined with whom, and what their one row holds.

Two documents are one where they, or the rows they have become, hold the same values in all columns of a unique index or
key; so are all that are one with either of them. A NULL is no value that another could hold too. The document with the
lowest `_id` stays, of equal ones that of the first flow. What its row lacks comes from the first of the others, in the
order of `_id`, that has it; extras are filled key by key, and the columns of a route together, for they are one value.

What a default filled gives way to what another of them says. In a table of things nothing but the thing joins
documents. The one stays whose own id is the thing's, and of a column that the identity gives to one collection the
value comes from its documents first.

Nothing here depends on the order of indexes: what one of them joins is looked at again under all others. All documents
of a table whose documents are joined are held in memory.

Conventions that no document states: extras key by key; how children are numbered (see `finishing`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from isthmus.verify.reference.bson import Value
from isthmus.verify.reference.documents import Expected
from isthmus.verify.reference.forms import Form, equal_form
from isthmus.verify.reference.journal import Journal
from isthmus.verify.reference.json_values import canonical_json, parse_json
from isthmus.verify.reference.ordering import Sortable, order_of
from isthmus.verify.reference.rules import Flow
from isthmus.verify.reference.shapes import FILLED_COLUMN, THING_COLUMN, Shape, Unique

T = TypeVar("T")
Forms = dict[str, Form]
Selects = Callable[[str, Sequence[Forms]], Sequence[bool]]
"""Tells of each row whether the condition of a partial index holds."""
_NOTHING = Journal()


@dataclass(frozen=True)
class Candidate:
    """A document that may be joined with others.

    Attributes:
        flow: Its flow.
        id: The id that its row would have.
        held: What a reference to its row would hold.
        result: What becomes of it alone, without what was noted on the way: all of them are held in memory.
        order: Sorts it among the documents of its table.
        thing: What it is, in a table of things; None for a thing of its own.
    """

    flow: Flow
    id: str
    held: str
    result: Expected
    order: Sortable
    thing: str | None = None

    @property
    def defaults(self) -> Sequence[str]:
        """The columns of its own row that defaults filled."""
        return self.result.rows[self.flow.table][0].get(FILLED_COLUMN) or ()

    @classmethod
    def of(cls, flow: Flow, result: Expected, ids: tuple[str, str]) -> Candidate:
        """A document with its id and what refers to it."""
        source_id = cast("Value", result.source_id)
        thing: str | None = result.rows[flow.table][0].get(THING_COLUMN)
        is_another = thing is not None and thing != ids[0]
        kept = replace(result, journal=_NOTHING)
        return cls(flow, ids[0], ids[1], kept, (result.late, is_another, order_of(source_id), flow.number), thing)


@dataclass
class Joining:
    """The documents of one root table, in groups of those that are one."""

    shape: Shape
    selects: Selects
    groups: list[list[Candidate]] = field(default_factory=list["list[Candidate]"])
    group_of: dict[str, list[Candidate]] = field(default_factory=dict[str, "list[Candidate]"])

    def add(self, candidate: Candidate) -> None:
        """Add a document that is alone so far; of several with one id the first counts."""
        if candidate.id not in self.group_of:
            self.groups.append([candidate])
            self.group_of[candidate.id] = self.groups[-1]

    def keeper(self, row_id: str) -> Candidate | None:
        """The document that a row with this id finally is; None if there is none."""
        group = self.group_of.get(row_id)
        return group[0] if group is not None else None

    def join(self, forms_of: Callable[[Candidate], Forms]) -> bool:
        """Join the groups that hold a value together; tell whether there were any.

        Args:
            forms_of: Says what the row of one document alone holds, as far as is known by now.
        """
        if self.shape.has_things:
            return self._join_things()
        rows: list[Forms] = []
        groups: list[int] = []
        for number, group in enumerate(self.groups):
            alone = [forms_of(candidate) for candidate in group]
            for row in [*alone, filled(self.shape, alone, group)] if len(group) > 1 else alone:
                rows.append(row)
                groups.append(number)
        # Each group is given the number of another, lower one that it is one with, until none is left.
        same = list(range(len(self.groups)))

        def lowest(number: int) -> int:
            while same[number] != number:
                same[number] = same[same[number]]
                number = same[number]
            return number

        for unique in self.shape.uniques:
            holders: dict[tuple[Any, ...], int] = {}
            for values, group in self._values(unique, rows, groups):
                other = lowest(holders.setdefault(values, group))
                mine = lowest(group)
                same[max(other, mine)] = min(other, mine)
        if all(number == other for number, other in enumerate(same)):
            return False
        joined: dict[int, list[Candidate]] = {}
        for number, group in enumerate(self.groups):
            joined.setdefault(lowest(number), []).extend(group)
        self._take(joined.values())
        return True

    def _take(self, groups: Iterable[list[Candidate]]) -> None:
        self.groups = [sorted(group, key=lambda candidate: candidate.order) for group in groups]
        self.group_of = {candidate.id: group for group in self.groups for candidate in group}

    def _join_things(self) -> bool:
        before = len(self.groups)
        joined: dict[str, list[Candidate]] = {}
        for candidate in (candidate for group in self.groups for candidate in group):
            joined.setdefault(candidate.thing or f"\0{candidate.id}", []).append(candidate)
        self._take(joined.values())
        return len(self.groups) < before

    def _values(
        self, unique: Unique, rows: Sequence[Forms], groups: Sequence[int]
    ) -> Iterator[tuple[tuple[Any, ...], int]]:
        """What each row holds in the columns of a unique index, with its group; not of rows that it passes over."""
        held = unique.where is None or self.selects(unique.where, rows)
        for number, (row, group) in enumerate(zip(rows, groups, strict=True)):
            forms = [row[name] for name in unique.columns]
            if (held is True or (held and held[number])) and None not in forms:
                kinds = [self.shape.columns[name] for name in unique.columns]
                yield tuple(map(equal_form, forms, kinds)), group


def in_turn(shape: Shape, column: str, candidates: Sequence[Candidate], rows: Sequence[T]) -> list[T]:
    """What documents have of a column: what they say before what a default filled, those first whose collection wins
    it, otherwise in the order they stand in. What was carried by one mapping comes before what a later one carried."""
    first = shape.wins.get(column, frozenset())

    def turn(pair: tuple[Candidate, T]) -> tuple[int, bool, bool]:
        one, _ = pair
        return one.result.late, column in one.defaults, one.flow.number not in first

    return [row for _, row in sorted(zip(candidates, rows, strict=True), key=turn)]


def filled(shape: Shape, rows: Sequence[Forms], candidates: Sequence[Candidate]) -> Forms:
    """The one row of several documents, given the row of each alone, that of the one that stays first."""
    row = dict(rows[0])
    routed = {name for names in shape.routes for name in names}
    for name in row:
        if name == shape.extras:
            row[name] = _filled_extras([one[name] for one in rows])
        elif name not in routed:
            ordered = in_turn(shape, name, candidates, rows)
            row[name] = next((one[name] for one in ordered if one[name] is not None), None)
    for names in shape.routes:
        first = next((one for one in rows if any(one[name] is not None for name in names)), rows[0])
        row.update({name: first[name] for name in names})
    return row


def _filled_extras(forms: Sequence[Form]) -> Form:
    content: dict[str, Any] = {}
    for extras in map(_parsed, forms):
        content = {**extras, **content}
    return canonical_json(content) if any(form is not None for form in forms) else None


def _parsed(form: Form) -> dict[str, Any]:
    return parse_json(str(form)) if form is not None else {}


def says_otherwise(shape: Shape, row: Forms, alone: Forms, defaults: Sequence[str]) -> list[str]:
    """The columns in which a joined document says something else than the row it was joined into, sorted.

    What a default filled it does not say. The columns of a route are one, named as in `merged_names`.
    """
    found: set[str] = set()
    for name, form in alone.items():
        if form is None or name == shape.owner or name in defaults:
            continue
        if name == shape.extras:
            kept, own = _parsed(row[name]), _parsed(form)
            if any(canonical_json(value) != canonical_json(kept[key]) for key, value in own.items()):
                found.add(name)
        elif form != row[name]:
            found.add(name)
    return merged_names(shape, found)


def merged_names(shape: Shape, names: Iterable[str]) -> list[str]:
    """Names of columns, sorted; those of one route joined with `|`, however many of them are named."""
    routes = {name: "|".join(columns) for columns in shape.routes for name in columns}
    return sorted({routes.get(name, name) for name in names})
