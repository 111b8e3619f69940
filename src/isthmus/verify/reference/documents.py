"""One document to rows: the walk over its fields, the rules it meets, and what is left over.

States in order what happens: skipped or not; the id; leftovers; columns; extras; junctions; child tables. Every rule
looks its value up by its own path. A document is carried whole or not at all; every refusal is noted and the rest goes
on, so that a rejected document names all its causes.

Blind spot: a damaged document has only one cause here, whatever else is wrong with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from isthmus.verify.reference import bson, ids, json_values
from isthmus.verify.reference.bson import Document, Value
from isthmus.verify.reference.journal import MAX_CAUSES, Journal, Refusal
from isthmus.verify.reference.json_values import Noted
from isthmus.verify.reference.rules import (
    Child,
    CollectionRules,
    Column,
    Default,
    Drop,
    Fields,
    Junction,
    Path,
    Reference,
)
from isthmus.verify.reference.skips import skipped
from isthmus.verify.reference.values import convert, rounded_to

Row = dict[str, Any]


@dataclass
class Expected:
    """What one document must become.

    Attributes:
        rows: Rows by table, in document order; every column of the table is there. Empty if rejected or skipped.
        id: The root row's key as text; None if rejected or skipped.
        rejected: (code, path) of each cause, or None.
        skipped: The mapping's `why`, or None.
        journal: References, changes, leftovers and id map entries. Only for a carried document do they count.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict[str, "list[Row]"])
    id: str | None = None
    rejected: list[tuple[str, str]] | None = None
    skipped: str | None = None
    journal: Journal = field(default_factory=Journal)

    @property
    def references(self) -> Counter[str]:
        """Values that are not null, by `table.column`."""
        return self.journal.references

    @property
    def adjustments(self) -> Counter[str]:
        """Changes made, by `table.column:kind`."""
        return self.journal.adjusted


def expected_of(data: bytes, rules: CollectionRules, keys: ids.Ids, now_us: int) -> Expected:
    """Convert one raw document by the rules of its collection."""
    try:
        document = bson.read_document(data)
    except bson.BsonFault as fault:
        return Expected(rejected=[(fault.code, printed(fault.path))])
    why = skipped(document, rules.skips)
    if why is not None:
        return Expected(skipped=why)
    return _Conversion(rules, keys, now_us).run(document)


class _Conversion:
    def __init__(self, rules: CollectionRules, keys: ids.Ids, now_us: int) -> None:
        self.rules = rules
        self.keys = keys
        self.now_us = now_us
        self.journal = Journal()
        self.rows: dict[str, list[Row]] = {}
        self.id_text = ""
        self.id_value: Value | None = None

    def run(self, document: Document) -> Expected:
        """Rows or causes of one readable document that is not skipped."""
        root: Row = {}
        try:
            self.take_id(bson.value_at(document, ("_id",)), root)
        except Refusal as refusal:
            self.refuse(refusal, ("_id",))
        self.level(document, self.rules.fields, root, Place(self.rules.table, self.rules.extras, (), ()))
        if self.journal.causes:
            return Expected(rejected=self.journal.causes[:MAX_CAUSES], journal=self.journal)
        return Expected(rows=self.rows, id=self.id_text, journal=self.journal)

    def refuse(self, refusal: Refusal, path: Sequence[str | int]) -> None:
        """Note a cause; conversion goes on to find the others."""
        self.journal.causes.append((refusal.code, printed((*path, *refusal.path))))

    def take_id(self, value: Value | None, root: Row) -> None:
        """The root row's key: derived, or under `keep` the `_id` itself in the key column's type."""
        if value is None or value.type in (bson.ARRAY, bson.REGEX, bson.UNDEFINED):
            raise Refusal("bad-id")
        self.id_value = value
        column = self.rules.id_column
        if self.rules.ids == "keep":
            if value.type == bson.NULL:
                raise Refusal("required")
            root[column.name] = convert(value, column.type, column.setting, self.noted(column))
            self.id_text = str(root[column.name])
            return
        self.id_text = self.keys.derive(self.rules.collection, value, self.rules.ids)
        root[column.name] = self.id_text
        if value.type != bson.OBJECT_ID:
            entry = (self.rules.collection, id_document(value), self.id_text, "document")
            self.journal.id_map.append(entry)

    def noted(self, column: Column) -> Noted:
        """Counts changes at this column."""
        return lambda kind: self.journal.adjust(column.place, kind)

    def level(self, document: Document, fields: Fields, row: Row, place: Place) -> None:
        """One document or array element into one row, then into what hangs below it.

        In this order: leftovers, columns, extras, junctions, child tables; each in the order of the mapping.
        """
        self.rows.setdefault(place.table, []).append(row)
        known = [path for path, _ in fields]
        if not place.above:
            known.append(("_id",))
        leftovers = self.leftovers(document, known, (), place)
        if place.extras is None:
            for path in leaves(leftovers):
                self.refuse(Refusal("unknown-field"), (*place.above, *path))
        found = [(path, rule, bson.value_at(document, path)) for path, rule in fields]
        for path, rule, value in found:
            if isinstance(rule, Column):
                try:
                    row[rule.name] = self.column(rule, value)
                except Refusal as refusal:
                    self.refuse(refusal, (*place.above, *path))
        if place.extras is not None:
            self.keep(leftovers, row, place)
        for path, rule, value in found:
            if isinstance(rule, Drop) and value is not None:
                self.journal.dropped[printed((*place.keys_above, *path))] += 1
        for path, rule, value in found:
            if isinstance(rule, Junction):
                self.junction(rule, value, (*place.above, *path))
        for path, rule, value in found:
            if isinstance(rule, Child):
                self.child(rule, value, path, place)

    def leftovers(self, document: Document, known: Sequence[Path], here: Path, place: Place) -> Document:
        """Elements that no path of the mapping takes, nesting kept.

        A document that paths only lead through leaves over what they do not take, and nothing if it is empty; any
        other value in its place is left over itself. Of duplicate keys the last, counted.
        """
        elements, dropped = bson.last_wins(document)
        for _ in range(dropped):
            self.journal.adjust(place.table, "duplicate_key")
        left: Document = []
        for key, value in elements:
            try:
                path = (*here, key.decode("utf-8"))
            except UnicodeDecodeError:
                left.append((key, value))
                continue
            if path in known:
                continue
            leads_on = any(other[: len(path)] == path for other in known)
            if not leads_on or value.type != bson.DOCUMENT:
                left.append((key, value))
                continue
            if not value.data:
                self.journal.adjust(place.table, "empty_document")
            inner = self.leftovers(value.data, known, path, place)
            if inner:
                left.append((key, Value(PARTIAL, inner, b"")))
        return left

    def column(self, column: Column, value: Value | None) -> Any:
        """Default, NULL or converted value of one column."""
        content = None
        if value is None:
            if column.default is not None:
                content = self.filled(column, column.default)
        elif value.type in (bson.NULL, bson.UNDEFINED):
            if column.default is not None and column.default_for_null:
                content = self.filled(column, column.default)
        elif column.reference is not None:
            content = self.reference(value, column.reference, column.place, column)
        elif column.type.array:
            content = self.array(column, value)
        elif column.type.kind == "jsonb":
            content = self.jsonb(column, value)
        else:
            content = convert(value, column.type, column.setting, self.noted(column))
        if content is None and column.required:
            raise Refusal("required")
        return content

    def filled(self, column: Column, default: Default) -> Any:
        """The default's value, counted; `id_time` has none where the `_id` is no ObjectId."""
        moment = self.now_us
        if default.kind == "id_time":
            object_id = ids.object_id_of(self.id_value) if self.id_value is not None else None
            if object_id is None:
                return None
            moment = int.from_bytes(object_id[:4], "big") * 1_000_000
        self.journal.adjust(column.place, "default")
        if default.kind == "literal":
            return default.value
        return moment // 86_400_000_000 if column.type.kind == "date" else rounded_to(moment, column.type.precision)

    def array(self, column: Column, value: Value) -> list[Any]:
        """Every element by the column's element rule; null stays; one value alone is wrapped when asked for."""
        if value.type != bson.ARRAY:
            if not column.setting.coerce:
                raise Refusal("type")
            self.journal.adjust(column.place, "coerced")
            return [convert(value, column.type, column.setting, self.noted(column))]
        content: list[Any] = []
        elements: list[Value] = value.data
        for position, element in enumerate(elements):
            if element.type in (bson.NULL, bson.UNDEFINED):
                content.append(None)
                continue
            try:
                content.append(convert(element, column.type, column.setting, self.noted(column)))
            except Refusal as refusal:
                raise Refusal(refusal.code, (str(position),)) from None
        return content

    def jsonb(self, column: Column, value: Value) -> Any:
        """Plain JSON, references inside it rewritten."""
        rewrites = [
            (path, self.rewrite(column, reference, f"{column.place}.{printed(path)}"))
            for path, reference in column.rewrite
        ]
        return Json(json_values.plain_json(value, column.setting.policies, self.noted(column), rewrites))

    def rewrite(self, column: Column, reference: Reference, place: str) -> Callable[[Value], Any]:
        """What is written for a value at a rewritten path: the derived id, or under `keep` the id itself."""

        def write(value: Value) -> Any:
            target = self.target(value, reference)
            if target is None:
                return None
            if target.type == bson.ARRAY:
                raise Refusal("type")
            if reference.ids == "keep":
                self.journal.references[place] += 1
                return json_values.plain_json(target, column.setting.policies, self.noted(column))
            return self.derived(target, reference, place)

        return write

    def target(self, value: Value, reference: Reference) -> Value | None:
        """The id a value refers with: a DBRef's `$id`, else the value; None for null.

        A DBRef has a string `$ref`, then `$id`, then perhaps a string `$db`, and nothing else.
        """
        if value.type == bson.DOCUMENT:
            parts: Document = value.data
            names = [key for key, _ in parts]
            if names in ([b"$ref", b"$id"], [b"$ref", b"$id", b"$db"]):
                texts = [part.type == bson.STRING for key, part in parts if key != b"$id"]
                if all(texts):
                    if parts[0][1].data != reference.collection.encode("utf-8"):
                        raise Refusal("wrong-collection")
                    value = parts[1][1]
        return None if value.type in (bson.NULL, bson.UNDEFINED) else value

    def reference(self, value: Value, reference: Reference, place: str, column: Column) -> Any:
        """The column's value for a reference; an array refers to nothing that one column could hold."""
        target = self.target(value, reference)
        if target is None:
            return None
        if target.type == bson.ARRAY:
            raise Refusal("type")
        if reference.ids == "keep":
            content = convert(target, column.type, column.setting, self.noted(column))
            self.journal.references[place] += content is not None
            return content
        return self.derived(target, reference, place)

    def derived(self, value: Value, reference: Reference, place: str) -> str:
        """The id of the document referred to; a hashed one is also written to the id map."""
        text = self.keys.derive(reference.collection, value, reference.ids)
        if ids.object_id_of(value) is None:
            self.journal.id_map.append((reference.collection, id_document(value), text, "reference"))
        self.journal.references[place] += 1
        return text

    def junction(self, rule: Junction, value: Value | None, path: Sequence[str | int]) -> None:
        """One pair for each different element; a single value is an array of one; nulls are passed over."""
        if value is None:
            return
        place = f"{rule.table}.{rule.other.name}"
        if value.type in (bson.NULL, bson.UNDEFINED):
            self.journal.adjust(place, "null_array")
            return
        elements: list[tuple[tuple[str, ...], Value]]
        if value.type == bson.ARRAY:
            elements = [((str(position),), element) for position, element in enumerate(value.data)]
        else:
            self.journal.adjust(place, "single_as_array")
            elements = [((), value)]
        met: set[Any] = set()
        rows = self.rows.setdefault(rule.table, [])
        for step, element in elements:
            before = self.journal.references[place]
            try:
                other = self.reference(element, rule.reference, place, rule.other)
            except Refusal as refusal:
                self.refuse(refusal, (*path, *step))
                continue
            if other is None:
                self.journal.adjust(place, "null_element")
            elif other in met:
                self.journal.references[place] = before
                self.journal.adjust(place, "duplicate_pair")
            else:
                met.add(other)
                rows.append({rule.own: self.root_id(), rule.other.name: other})

    def child(self, rule: Child, value: Value | None, path: Path, place: Place) -> None:
        """One row for each element, which must be a document."""
        above = (*place.above, *path)
        if value is None:
            return
        if value.type in (bson.NULL, bson.UNDEFINED):
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
            row: Row = {rule.root_id: self.root_id()}
            row.update(zip(rule.ancestor_positions, place.positions, strict=True))
            row[rule.position] = position
            inner = Place(rule.table, rule.extras, here, (*place.positions, position))
            self.level(element.data, rule.fields, row, inner)

    def root_id(self) -> Any:
        """The root row's key in the column's own Python form."""
        return self.rows[self.rules.table][0].get(self.rules.id_column.name)

    def keep(self, leftovers: Document, row: Row, place: Place) -> None:
        """Leftovers as one Extended JSON document in the extras column; NULL when there are none."""
        row[str(place.extras)] = None
        if not leftovers:
            return
        for path in leaves(leftovers):
            self.journal.extras[printed((*place.keys_above, *path))] += 1
        policies = self.rules.policies.policies
        column = f"{place.table}.{place.extras}"
        try:
            content = json_values.extended_json(
                whole(leftovers), policies, lambda kind: self.journal.adjust(column, kind)
            )
            row[str(place.extras)] = Json(content)
        except Refusal as refusal:
            self.refuse(refusal, place.above)


PARTIAL = -1
"""The type of a leftover document of which some paths were taken; no BSON type has this number."""


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


def leaves(leftovers: Document) -> list[Path]:
    """Paths of leftover values; a document of which some paths were taken is named by what is left of it."""
    paths: list[Path] = []
    for key, value in leftovers:
        step = key.decode("utf-8", "replace")
        if value.type == PARTIAL:
            paths += [(step, *path) for path in leaves(value.data)]
        else:
            paths.append((step,))
    return paths


def whole(leftovers: Document) -> Value:
    """Leftovers as one BSON document value."""
    elements = [(key, whole(value.data) if value.type == PARTIAL else value) for key, value in leftovers]
    return Value(bson.DOCUMENT, elements, b"")


@dataclass(frozen=True)
class Json:
    """A jsonb value, so that JSON null, a text and a number are told from SQL's own."""

    value: Any

    @property
    def text(self) -> str:
        """The canonical text that comparison uses."""
        return json_values.canonical_json(self.value)


def id_document(value: Value) -> bytes:
    """`{"_id": value}` as BSON: how a source id is written down."""
    body = bytes([value.type]) + b"_id\0" + value.raw + b"\0"
    return (len(body) + 4).to_bytes(4, "little") + body


def printed(path: Sequence[str | int]) -> str:
    """A path as causes and counts print it: keys and positions joined by dots.

    A dot or backslash in a key stands after a backslash; an empty key is printed as two double quotes.
    """
    return ".".join(str(step).replace("\\", "\\\\").replace(".", "\\.") or '""' for step in path)
