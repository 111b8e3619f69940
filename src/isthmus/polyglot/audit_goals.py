"""What a reference may lead to, and what a value met in a document may mean there: which `_id`, which row. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from uuid import UUID

import bson
from bson import DBRef, Decimal128, ObjectId
from bson.binary import UUID_SUBTYPE, Binary
from bson.errors import BSONError, InvalidBSON

from isthmus._rust import IdCodec
from isthmus.mapping import Mapping
from isthmus.mapping.model import FieldPath, Ids
from isthmus.mapping.references import Pointer, field_rule, refer
from isthmus.mapping.rules import Normalise
from isthmus.mapping.types import UUID_TEXT
from isthmus.state.source_ids import value_of

Form = Literal["object_id", "hex", "id", "other"]
"""How a value is written: an ObjectId; its 24 digits as text; a text or number in the shape of an id of the target;
anything else. In the shape of an id is a uuid or a text as cuid2 makes it; whether it is one, only the target knows."""

FORMS: tuple[Form, ...] = ("object_id", "hex", "id", "other")

_HEX = re.compile(r"[0-9a-fA-F]{24}")
_IDS = re.compile(rf"{UUID_TEXT}|[a-z][0-9a-z]{{23}}")
_KEPT = 100_000
_UUID_BYTES = 16


@dataclass(frozen=True)
class Goal:
    """One thing that references may lead to: documents and rows of an entry, by id or by a field.

    Attributes:
        number: Its place among all goals, from 0.
        entry: The entry of the mapping.
        field: The field of its documents that is compared; None for `_id`.
        sources: The source collections whose documents they are; by id, of all entries that fill the table: documents
            that are one thing lead to one row.
        table: The root table.
        column: Its column that the value of a document is found by: the id, or that of the field; None where the table
            keeps no ids.
        held: Its column whose value a reference has in the end.
        ids: How its ids are made.
        hashed_as: The name that ids which are no ObjectIds are hashed with.
        normalise: What is done to a field's value before it is compared.
    """

    number: int
    entry: str
    field: FieldPath | None
    sources: tuple[str, ...]
    table: str
    column: str | None
    held: str
    ids: Ids
    hashed_as: str
    normalise: tuple[Normalise, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names under which `isthmus.id_map` may have ids of its documents."""
        return list(dict.fromkeys([*self.sources, self.entry]))


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a value may mean at one goal.

    Attributes:
        form: How it is written.
        key: What a document is known by that it names, the same for every way to write one `_id`; None where no
            document can be meant.
        literal: The value as a row's own id, as text; None where it can be none.
        id_document: `{"_id": value}` as BSON; None at a goal by a field.
        made: Whether it is an id that this target made of an ObjectId.
    """

    form: Form
    key: str | None
    literal: str | None
    id_document: bytes | None
    made: bool = False


class Goals:
    """All goals of a mapping's references, and what values mean at them.

    Args:
        mapping: A checked mapping.
        pointers: What its references name.
        key: 32 bytes from which the target's ids are derived.
    """

    def __init__(self, mapping: Mapping, pointers: Iterable[Pointer], key: bytes) -> None:
        self.all: list[Goal] = []
        self._numbers: dict[tuple[str, FieldPath | None], int] = {}
        self._codec = IdCodec(key)
        for pointer in pointers:
            place = (pointer.entry, pointer.field)
            if place not in self._numbers:
                self._numbers[place] = len(self.all)
                self.all.append(goal_of(mapping, pointer, len(self.all)))
        self._known = lru_cache(maxsize=_KEPT)(self._meaning)

    def of(self, pointers: Sequence[Pointer]) -> list[Goal]:
        """Return what a site may lead to."""
        return [self.all[number] for number in dict.fromkeys(self._numbers[one.entry, one.field] for one in pointers)]

    def meaning(self, goal: Goal, value: object) -> Meaning:
        """Return what a value of a document may mean at a goal."""
        if isinstance(value, (str, bytes, ObjectId, int)):
            return self._known(goal.number, type(value), value)  # 1, 1.0 and True are one key of a dict
        return self._meaning(goal.number, type(value), value)

    def key_of(self, goal: Goal, value: object) -> str | None:
        """Return what a document of a goal is known by, of its `_id` or of the value of the field; None: by nothing."""
        return self.meaning(goal, value).key

    def made(self, text: str) -> bytes | None:
        """Return the 12 bytes of the ObjectId that an id of this target was made of; None for any other text."""
        return self._codec.reverse(text) if _IDS.fullmatch(text) else None

    def row_id(self, name: str, id_document: bytes, ids: Ids) -> str | None:
        """Return the id that a document's row has, if it is that of no other row."""
        if ids != "keep":
            return self._codec.derive(name, id_document, ids)
        try:
            return text_of(value_of(id_document))
        except InvalidBSON:  # text that is not UTF-8: no column has it
            return None

    def _meaning(self, number: int, kind: type, value: object) -> Meaning:  # noqa: ARG002  for the cache
        goal = self.all[number]
        form = form_of(value)
        if isinstance(value, DBRef):
            if value.collection not in goal.sources:
                return Meaning(form, None, None, None)
            value = value.id
        text = text_of(value)
        if goal.field is not None:
            met = normalised(text, goal.normalise)
            return Meaning(form, met, text if isinstance(value, str) else None, None)
        try:
            id_document = bson.encode({"_id": value})
        except (BSONError, OverflowError, UnicodeError):
            return Meaning(form, None, None, None)
        key = text if goal.ids == "keep" else self._codec.derive(goal.hashed_as, id_document, goal.ids)
        literal = text if isinstance(value, str) or goal.ids == "keep" else None
        made = isinstance(value, str) and self.made(value) is not None
        return Meaning(form, key, literal, id_document, made)


def form_of(value: object) -> Form:
    """Return how a value is written; of a DBRef, its `$id`."""
    if isinstance(value, DBRef):
        value = value.id
    if isinstance(value, ObjectId):
        return "object_id"
    if isinstance(value, str):
        if _HEX.fullmatch(value):
            return "hex"
        return "id" if _IDS.fullmatch(value) else "other"
    return "other"


def text_of(value: object) -> str | None:
    """Return a value as a text column has it; None where none can: not of these types, or with a NUL in it."""
    if isinstance(value, Binary):
        return str(UUID(bytes=bytes(value))) if value.subtype == UUID_SUBTYPE and len(value) == _UUID_BYTES else None
    if type(value) is str:  # not a subclass: Code is one
        return value if "\0" not in value else None
    if isinstance(value, bool) or not isinstance(value, (ObjectId, UUID, int, float, Decimal128)):
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return str(value)


def normalised(text: str | None, steps: Sequence[Normalise]) -> str | None:
    """Return a text after the steps, in their order."""
    if text is None:
        return None
    for step in steps:
        text = text.strip() if step == "trim" else text.lower()
    return text


def filling(mapping: Mapping, table: str) -> tuple[str, ...]:
    """Return the source collections that fill a root table, each once."""
    entries = (entry for entry in mapping.collections.values() if entry.table == table)
    return tuple(dict.fromkeys(name for entry in entries for name in entry.source_names))


def goal_of(mapping: Mapping, pointer: Pointer, number: int = 0) -> Goal:
    """Return what a reference may lead to."""
    entry = mapping.collections[pointer.entry]
    name = pointer.entry if pointer.field is None else f"{pointer.entry}.{'.'.join(pointer.field)}"
    rule = field_rule(mapping, pointer) if pointer.field is not None else None
    sources = entry.source_names if rule is not None else filling(mapping, entry.table)
    id_column = entry.id.column if entry.id.kept else None
    try:
        held = refer(mapping, name).column
    except KeyError:
        held = id_column or entry.primary_key[0]
    return Goal(
        number=number,
        entry=pointer.entry,
        field=pointer.field,
        sources=sources,
        table=entry.table,
        column=id_column if rule is None else rule.column,
        held=held,
        ids=entry.ids,
        hashed_as=pointer.hashed_as,
        normalise=() if rule is None else rule.normalise,
    )
