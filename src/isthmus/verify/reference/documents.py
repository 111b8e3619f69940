"""One document to rows: which flow takes it, the walk over its fields, the rules it meets, and what is left over.

States in order what happens: taken or not; skipped or not; the id; leftovers; columns; extras; junctions; child tables.
Every rule looks its value up by its own path. A document is carried whole or not at all; every refusal is noted and the
rest goes on, so that a rejected document names all its causes.

Blind spot: a damaged document has only one cause here, whatever else is wrong with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from isthmus.verify.reference import bson, json_values
from isthmus.verify.reference.bson import Document, Value
from isthmus.verify.reference.columns import Columns, Json, printed
from isthmus.verify.reference.finding import Met, all_met, is_null, loose, losers
from isthmus.verify.reference.ids import Ids
from isthmus.verify.reference.journal import MAX_CAUSES, Journal, Refusal
from isthmus.verify.reference.leftovers import leaves, leftovers, whole
from isthmus.verify.reference.references import References, id_document
from isthmus.verify.reference.rules import (
    Child,
    Column,
    Drop,
    Field,
    Fields,
    Flags,
    Flow,
    Junction,
    Object,
    Path,
    Reference,
    Route,
    ToFlags,
)
from isthmus.verify.reference.shapes import FILLED_COLUMN, SOURCE_COLUMN, THING_COLUMN
from isthmus.verify.reference.skips import holds, skipped
from isthmus.verify.reference.things import Things
from isthmus.verify.reference.values import convert

__all__ = ["Expected", "Json", "expected_of", "printed"]

Row = dict[str, Any]


@dataclass
class Expected:
    """What one document must become.

    Attributes:
        flow: The flow that takes it; None if it is damaged or no flow does.
        rows: Rows by table, in document order; every column of the flow's table is there, but for those that wait.
            Empty if rejected or skipped.
        pending: By `table.column`, the rows of values that wait until everything is loaded: the key of the row they
            belong to (`root_id`, `position_1`…), `element` in arrays, `value`; of a junction its two columns.
        id: The root row's key as text; None if rejected or skipped.
        source_id: The document's `_id`; None as above.
        rejected: (code, path) of each cause, or None.
        skipped: The mapping's `why`, or None.
        journal: References, changes, leftovers and id map entries. Only for a carried document do they count.
        late: Which of the mappings of a run, tried one after the other, carried it; documents that are joined stand in
            that order, then in the order of `_id`.
    """

    flow: Flow | None = None
    rows: dict[str, list[Row]] = field(default_factory=dict[str, "list[Row]"])
    pending: dict[str, list[Row]] = field(default_factory=dict[str, "list[Row]"])
    id: str | None = None
    source_id: Value | None = None
    rejected: list[tuple[str, str]] | None = None
    skipped: str | None = None
    journal: Journal = field(default_factory=Journal)
    late: int = 0

    @property
    def references(self) -> Counter[str]:
        """Values that are not null, by `table.column`."""
        return self.journal.references

    @property
    def adjustments(self) -> Counter[str]:
        """Changes made, by `table.column:kind`."""
        return self.journal.adjusted


def expected_of(data: bytes, flows: Sequence[Flow], keys: Ids, now_us: int, things: Things | None = None) -> Expected:
    """Convert one raw document by the rules of the first flow of its collection that takes it."""
    things = things or Things()
    try:
        document = bson.read_document(data)
    except bson.BsonFault as fault:
        return Expected(rejected=[(fault.code, printed(fault.path))])
    for flow in flows:
        if all(holds(document, condition, now_us) for condition in flow.when):
            why = dropped(document, flow, things) or skipped(document, flow.skips, now_us)
            if why is not None:
                return Expected(flow, skipped=why)
            return _Conversion(flow, keys, now_us, things).run(document)
    return Expected(rejected=[("no-entry", "")])


def dropped(document: Document, flow: Flow, things: Things) -> str | None:
    """Why people want a document left behind; None where they do not."""
    value = bson.value_at(document, ("_id",))
    return None if value is None else things.why_dropped(flow.collection, id_document(value))


def own_id(column: str) -> str:
    """Under which name a row keeps the id in a column's own field, which no column has."""
    return f"\0own {column}"


def row_id_of(data: bytes, flow: Flow, keys: Ids) -> str | None:
    """The id that a document's root row would have if a flow took it; None where its `_id` gives none."""
    conversion = _Conversion(flow, keys, 0, Things())
    with suppress(Refusal, bson.BsonFault):
        conversion.take_id(bson.value_at(bson.read_document(data), ("_id",)), dict(flow.constants))
    return conversion.id_text or None


class _Conversion:
    def __init__(self, flow: Flow, keys: Ids, now_us: int, things: Things) -> None:
        self.flow = flow
        self.things = things
        self.keys = keys
        self.journal = Journal()
        self.columns = Columns(References(keys, self.journal), self.journal, now_us)
        self.rows: dict[str, list[Row]] = {}
        self.pending: dict[str, list[Row]] = {}
        self.id_text = ""
        self.root_id: Any = None

    def run(self, document: Document) -> Expected:
        """Rows or causes of one readable document that is not skipped."""
        flow = self.flow
        root: Row = dict(flow.constants)
        try:
            self.take_id(bson.value_at(document, ("_id",)), root)
            root.update(self.thing())
        except Refusal as refusal:
            self.refuse(refusal, ("_id",))
        self.level(document, flow.fields, root, Place(flow.table, flow.extras, (), ()))
        if self.journal.causes:
            return Expected(flow, rejected=self.journal.causes[:MAX_CAUSES], journal=self.journal)
        source_id = self.columns.id_value
        return Expected(flow, self.rows, self.pending, self.id_text, source_id, journal=self.journal)

    def thing(self) -> Row:
        """The hidden column of the thing, in tables of things; of a collection that is no member nothing is known."""
        if self.flow.is_member is None:
            return {}
        if not self.flow.is_member:
            return {THING_COLUMN: None}
        document = id_document(cast("Value", self.columns.id_value))
        if not self.things.is_known(self.flow.collection, document):
            raise Refusal("thing-unknown")
        return {THING_COLUMN: self.things.of(self.flow.collection, document)}

    def refuse(self, refusal: Refusal, path: Sequence[str | int]) -> None:
        """Note a cause; conversion goes on to find the others."""
        self.journal.causes.append((refusal.code, printed((*path, *refusal.path))))

    def take_id(self, value: Value | None, root: Row) -> None:
        """The root row's key: derived, or under `keep` the `_id` itself in the key column's type."""
        if value is None or value.type in (bson.ARRAY, bson.REGEX, bson.UNDEFINED):
            raise Refusal("bad-id")
        self.columns.id_value = value
        column = self.flow.id_column
        if self.flow.ids == "keep":
            if value.type == bson.NULL:
                raise Refusal("required")
            self.root_id = convert(value, column.type, column.setting, self.journal.noted(column.place))
            self.id_text = str(self.root_id)
        else:
            self.root_id = self.id_text = self.keys.derive(self.flow.collection, value, self.flow.ids)
            if value.type != bson.OBJECT_ID:
                entry = (self.flow.collection, id_document(value), self.id_text, "document")
                self.journal.id_map.append(entry)
        root[column.name] = self.root_id

    def level(self, document: Document, fields: Fields, row: Row, place: Place) -> None:
        """One document or array element into one row, then into what hangs below it.

        In this order: leftovers, columns, extras, junctions, child tables; each in the order of the mapping.
        """
        self.rows.setdefault(place.table, []).append(row)
        if place.table in self.flow.marked:
            row[SOURCE_COLUMN] = self.flow.number
        claimed = [path for one in fields for path in one.paths]
        if not place.above:
            claimed.append(("_id",))
        unused = loose(document, fields)
        left = leftovers(document, claimed, unused.paths, self.journal.noted(place.table))
        if place.extras is None:
            for path in leaves(left):
                self.refuse(Refusal("unknown-field"), (*place.above, *path))
        found = all_met(document, fields)
        for one, value in found:
            self.fill(one, value, document, row, place)
        if place.extras is not None:
            self.keep(left, row, place)
        if not place.above and self.flow.tells_defaults:
            told = {name for name, _, _ in self.journal.became}
            row[FILLED_COLUMN] = [name for name in row if f"{place.table}.{name}:default" in told] or None
        dropped = [one.paths[0] for one, value in found if isinstance(one.rule, Drop) and value.value is not None]
        for path in [*dropped, *unused.dropped]:
            self.journal.dropped[printed((*place.keys_above, *path))] += 1
        for one, value in found:
            if isinstance(one.rule, Junction):
                self.junction(one.rule, value.value, (*place.above, *value.path))
        for one, value in found:
            if isinstance(one.rule, Child):
                self.child(one.rule, value.value, value.path, place)

    def fill(self, one: Field, found: Met, document: Document, row: Row, place: Place) -> None:
        """The columns of one rule."""
        rule = one.rule
        if isinstance(rule, Flags):
            content, causes = self.columns.flags(rule, document, one.paths)
            row[rule.column.name] = content
            for code, path in causes:
                self.refuse(Refusal(code), (*place.above, *path))
            return
        if isinstance(rule, Object):
            try:
                row[rule.column.name] = self.columns.object(rule, document, one.paths)
            except Refusal as refusal:
                self.refuse(refusal, place.above)
            return
        if isinstance(rule, ToFlags):
            made, codes = self.columns.to_flags(rule, found.value)
            row.update(made)
            for code in codes:
                self.refuse(Refusal(code), (*place.above, *found.path))
            return
        if not isinstance(rule, Column | Route):
            return
        try:
            if found.refused is not None:
                raise Refusal(found.refused)
            self.columns.wrapped(one, found)
            if isinstance(rule, Column) and self.is_linked(rule):
                row[rule.name] = self.linked(rule, found.value)
                return
            if isinstance(rule, Route):
                row.update(self.columns.route(rule, found.value))
                row.update(self.own_ids(rule, one, found, document))
                return
            content = self.columns.column(rule, found.value, self.refusing(rule, (*place.above, *found.path)))
        except Refusal as refusal:
            self.refuse(refusal, (*place.above, *found.path))
            return
        if rule.reference is not None and rule.reference.lookup:
            self.wait(rule, content, place)
        else:
            row[rule.name] = content

    def is_linked(self, rule: Column) -> bool:
        """Whether it is known to which thing of a column's identity the document belongs, if to any."""
        value = self.columns.id_value
        return (
            rule.identity is not None
            and value is not None
            and self.things.is_known(self.flow.collection, id_document(value))
        )

    def linked(self, rule: Column, value: Value | None) -> str | None:
        """The thing that the document belongs to; what the field holds is noted where it leads elsewhere."""
        thing = self.things.of(self.flow.collection, id_document(cast("Value", self.columns.id_value)))
        if value is not None and not is_null(value) and not self.leads(rule, value, thing):
            self.journal.adjust(rule.place, "linked")
            self.journal.listing(rule.place, value)("linked")
        if thing is None and rule.required:
            raise Refusal("required")
        return self.columns.references.counted(thing, rule.place)

    def leads(self, rule: Column, value: Value, thing: str | None) -> bool:
        """Whether what a field holds leads to a thing; what is no id leads nowhere, what stands for null anywhere."""
        reference = cast("Reference", rule.reference)
        with suppress(Refusal):
            text = References(self.keys, Journal()).made(value, reference, rule, None)
            if text is None:
                return True
            return thing is not None and self.things.leads(str(text), thing, reference.ids, self.keys)
        return False

    def own_ids(self, rule: Route, one: Field, found: Met, document: Document) -> Row:
        """Ids in fields of single columns of a route that were passed over for another one; what is no id has none."""
        lost = losers(document, one.paths, found.path, found.value)
        made: Row = {}
        for name, path in rule.own:
            value = bson.value_at(document, path)
            if value is None or path not in lost:
                continue
            column, reference = next(pair for pair in rule.columns if pair[0].name == name)
            with suppress(Refusal):
                made[own_id(name)] = References(self.keys, Journal()).made(value, reference, column, None)
        return made

    def refusing(self, rule: Column, path: Sequence[str | int]) -> Callable[[Refusal], None] | None:
        """Takes the refusals of single elements where each is a row of its own, so that all of them are named."""
        if rule.reference is None or not rule.reference.lookup:
            return None
        return lambda refusal: self.refuse(refusal, path)

    def wait(self, column: Column, content: Any, place: Place) -> None:
        """A value, or the elements of an array, that are looked up when everything is loaded."""
        key: Row = {"root_id": self.root_id}
        key.update((f"position_{number}", position) for number, position in enumerate(place.positions, 1))
        rows = self.pending.setdefault(column.place, [])
        if not column.type.array:
            rows += [{**key, "value": content}] if content is not None else []
        elif content is not None:
            rows += [{**key, "element": number, "value": one} for number, one in enumerate(content)]
            rows += [{**key, "element": -1, "value": None}] if not content else []

    def junction(self, rule: Junction, value: Value | None, path: Sequence[str | int]) -> None:
        """One pair for each different element; a single value is an array of one; nulls are passed over."""
        if value is None:
            return
        place = rule.other.place
        if is_null(value):
            self.journal.adjust(place, "null_array")
            return
        elements: list[tuple[tuple[str, ...], Value]]
        if value.type == bson.ARRAY:
            elements = [((str(position),), element) for position, element in enumerate(value.data)]
        else:
            self.journal.adjust(place, "single_as_array")
            elements = [((), value)]
        met_before: set[Any] = set()
        waits = rule.reference.lookup
        rows = self.pending.setdefault(place, []) if waits else self.rows.setdefault(rule.table, [])
        for step, element in elements:
            before = self.journal.references[place]
            try:
                other = self.columns.references.made(element, rule.reference, rule.other, place)
            except Refusal as refusal:
                self.refuse(refusal, (*path, *step))
                continue
            if other is None:
                self.journal.adjust(place, "null_element")
            elif other in met_before:
                self.journal.references[place] = before
                self.journal.adjust(place, "duplicate_pair")
            else:
                met_before.add(other)
                rows.append({rule.own: self.root_id, rule.other.name: other})

    def child(self, rule: Child, value: Value | None, path: Path, place: Place) -> None:
        """One row for each element, which must be a document."""
        above = (*place.above, *path)
        if value is None:
            return
        if is_null(value):
            self.journal.adjust(rule.table, "null_array")
            return
        if value.type != bson.ARRAY:
            self.refuse(Refusal("not-an-array"), above)
            return
        elements: list[Value] = value.data
        for position, element in enumerate(elements):
            here = (*above, position)
            if element.type != bson.DOCUMENT:
                self.refuse(Refusal("not-a-document"), here)
                continue
            row: Row = {rule.root_id: self.root_id}
            row.update(zip(rule.ancestor_positions, place.positions, strict=True))
            row[rule.position] = position
            inner = Place(rule.table, rule.extras, here, (*place.positions, position))
            self.level(element.data, rule.fields, row, inner)

    def keep(self, left: Document, row: Row, place: Place) -> None:
        """Leftovers as one Extended JSON document in the extras column; NULL when there are none."""
        row[str(place.extras)] = None
        if not left:
            return
        for path in leaves(left):
            self.journal.extras[printed((*place.keys_above, *path))] += 1
        policies = self.flow.policies.policies
        note = self.journal.noted(f"{place.table}.{place.extras}")
        try:
            row[str(place.extras)] = Json(json_values.extended_json(whole(left), policies, note))
        except Refusal as refusal:
            self.refuse(refusal, place.above)


@dataclass(frozen=True)
class Place:
    """Where a row is made.

    Attributes:
        table: Its table.
        extras: Its table's extras column, None where leftovers are refused.
        above: Keys and positions that lead to its document; empty for the root.
        positions: The positions among them.
    """

    table: str
    extras: str | None
    above: tuple[str | int, ...]
    positions: tuple[int, ...]

    @property
    def keys_above(self) -> Path:
        """The keys without the positions."""
        return tuple(step for step in self.above if isinstance(step, str))
