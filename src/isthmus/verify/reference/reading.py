"""Reads a mapping, given as the plain dict that a YAML reader makes of the file, into plain rules.

States the mapping language a second time: entries and the collections they read, tables that several flows fill, keys,
junctions. What one field's rule says is `field_rules`'. It checks nothing: a mapping that `isthmus check` refuses may
do anything here.

Blind spots: a form of the language both readers understand wrongly; numbers with a point, which are doubles here; a map
that lists both `1` and `1.0`, which are one key of a dict.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path as FilePath
from typing import Any, cast

from isthmus.verify.reference.field_rules import FieldReader
from isthmus.verify.reference.language import Language, Plain, literal
from isthmus.verify.reference.names import fold, parse_type, rewrite_path, split_path
from isthmus.verify.reference.rules import Column, Condition, Drop, Field, Fields, Flags, Flow, Object, Skip, ToFlags
from isthmus.verify.reference.shapes import FILLED_COLUMN, HIDDEN_ID, THING_COLUMN, Shape, Unique
from isthmus.verify.reference.values import Setting, Type
from isthmus.verify.reference.words import parse

MARK = "_isthmus"
"""Isthmus's own field in documents, which is left behind where no rule names it."""

__all__ = ["Rules", "Shape", "fold", "load", "parse", "parse_type", "read", "rewrite_path", "split_path"]


@dataclass
class Rules:
    """A whole mapping.

    Attributes:
        collections: By collection in MongoDB, the flows its documents may take, the first that fits being theirs.
        shapes: Tables by name.
        schema: The schema they are in.
        language: What else the mapping says.
        merging: Root tables whose documents are joined into one row: where they stand against a key, or where they are
            one thing.
        members: Identity → its member collections; empty where nobody found out what its things are.
    """

    collections: dict[str, list[Flow]]
    shapes: dict[str, Shape]
    schema: str
    language: Language
    merging: frozenset[str] = frozenset()
    members: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def flows(self) -> list[Flow]:
        """All flows in the order of the file."""
        return sorted((flow for flows in self.collections.values() for flow in flows), key=lambda flow: flow.number)


def load(path: str | PathLike[str]) -> Plain:
    """The plain dict of a mapping file."""
    return parse(FilePath(path).read_text(encoding="utf-8-sig"))


def read(mapping: Plain, *, things: bool = False) -> Rules:
    """All rules of a mapping; `things` where it was found out which documents its identities make one."""
    return _Reader(mapping, things).read()


@dataclass
class _Reader:
    mapping: Plain
    things: bool
    shapes: dict[str, Shape] = field(default_factory=dict[str, Shape])

    def __post_init__(self) -> None:
        self.language = Language(self.mapping)

    def read(self) -> Rules:
        """Entries first, then the junction tables, whose types follow from both ends."""
        collections: dict[str, list[Flow]] = {}
        number = 0
        for entry, said in self.language.entries.items():
            for source in self.language.sources(entry):
                flow = self.flow(number, entry, said, source)
                collections.setdefault(source, []).append(flow)
                number += 1
        for flows in collections.values():
            for flow in flows:
                flow.marked = frozenset(name for name, shape in self.shapes.items() if self.is_shared(shape, flow))
        for shape in self.shapes.values():
            if len(shape.flows) > 1:
                shape.mark()
        members = self.identities(collections) if self.things else {}
        for table in self.language.junctions:
            ends = {column: self.language.reference(said) for column, said in self.language.ends(table).items()}
            shape = Shape(table, "junction", key=tuple(ends))
            for column, reference in ends.items():
                shape.add(column, self.language.id_type(reference.entry), reference=reference)
            self.shapes[table] = shape
        target: Plain = self.mapping.get("target") or {}
        entries = self.language.entries
        merging = {self.language.table(name) for name, said in entries.items() if said.get("on_duplicate") == "merge"}
        merging |= {name for name, shape in self.shapes.items() if shape.has_things}
        for flow in (flow for flows in collections.values() for flow in flows):
            flow.tells_defaults = flow.table in merging and any(map(may_be_filled, flow.fields))
            if flow.tells_defaults:
                self.shapes[flow.table].add(FILLED_COLUMN, Type("text", array=True), hidden=True)
        schema = target.get("schema", "public")
        return Rules(collections, self.shapes, schema, self.language, frozenset(merging), members)

    def identities(self, collections: dict[str, list[Flow]]) -> dict[str, tuple[str, ...]]:
        """Let the tables of identities join by their things; returns the members of each."""
        stated: Plain = self.mapping.get("identities") or {}
        found: dict[str, tuple[str, ...]] = {}
        for name, said in stated.items():
            found[name] = tuple(map(str, said["members"]))
            wins: Plain = said.get("wins") or {}
            for table in {flow.table for member in found[name] for flow in collections[member]}:
                shape = self.shapes[table]
                shape.has_things = True
                shape.add(THING_COLUMN, Type("text"), hidden=True)
                for column, winner in wins.items():
                    shape.wins[column] = frozenset(flow.number for flow in collections[winner])
        all_members = {member for members in found.values() for member in members}
        for flows in collections.values():
            for flow in flows:
                if self.shapes[flow.table].has_things:
                    flow.is_member = flow.collection in all_members
        return found

    def is_shared(self, shape: Shape, flow: Flow) -> bool:
        """Whether a table is filled by this flow and others."""
        return flow.number in shape.flows and len(shape.flows) > 1

    def flow(self, number: int, entry: str, said: Plain, source: str) -> Flow:
        """Rules of one entry for one of the collections it reads."""
        language = self.language
        table = language.table(entry)
        id_name, id_type = language.id_column(entry)
        key = language.key(entry)
        shape = self.shapes.setdefault(table, Shape(table, "root", key=(id_name,) if key is None else key))
        shape.owner = None if id_name == HIDDEN_ID else id_name
        shape.flows.append(number)
        shape.entries.add(entry)
        shape.add(id_name, id_type, hidden=id_name == HIDDEN_ID)
        shape.uniques += uniques(said, key)
        constants: dict[str, Any] = {}
        for name, stated in language.constants(entry).items():
            kind = language.type_of(str(stated["type"]))
            value = stated["value"] if "value" in stated else language.sources(entry)[source][name]
            constants[name] = None if value is None else literal(value, kind)
            shape.add(name, kind)
        tree: Fields = []
        extras = said.get("extras") or self.mapping.get("extras") or "extras"
        stated: Plain = said.get("fields") or {}
        reader = FieldReader(language, entry, number, self.shapes)
        reader.fields({key: rule for key, rule in stated.items() if key != "_id"}, shape, tree, extras)
        if not any(path[:1] == (MARK,) for one in tree for path in one.paths):
            tree.append(Field(((MARK,),), Drop()))
        extras_column = None if extras == "dead_letter" else extras
        if extras_column:
            shape.add_extras(extras_column)
        return Flow(
            number=number,
            entry=entry,
            collection=source,
            ids=language.ids_of(entry),
            id_column=Column(table, id_name, id_type, Setting(policies=language.policies)),
            table=table,
            extras=extras_column,
            fields=tree,
            when=conditions(said.get("when") or {}),
            constants=constants,
            skips=tuple(Skip(one["why"], conditions(one["when"])) for one in said.get("skip") or ()),
            policies=Setting(policies=language.policies),
        )


def uniques(said: Plain, key: tuple[str, ...] | None) -> Iterator[Unique]:
    """The key of an entry, if it is not the id, and the unique ones among its `indexes`."""
    if key:
        yield Unique(key)
    indexes: list[Any] = said.get("indexes") or []
    for index in indexes:
        stated = cast("Plain", index) if isinstance(index, dict) else {}
        if stated.get("unique"):
            columns: Any = stated["columns"]
            yield Unique((columns,) if isinstance(columns, str) else tuple(columns), stated.get("where"))


def conditions(said: Plain) -> tuple[Condition, ...]:
    """Paths with a value, a list of values, `{not: …}` of either, or a state: `{missing: true}`."""
    found: list[Condition] = []
    for path, test in said.items():
        keys = split_path(str(path))
        stated = cast("dict[str | None, Any]", test) if isinstance(test, dict) else {}
        # YAML reads the bare word null as nothing at all.
        word = next(iter(stated), "") or ("null" if stated else "")
        if word in ("missing", "null", "present"):
            found.append(Condition(keys, word))
            continue
        if word in ("before", "not_before"):
            moment = stated[word]
            found.append(Condition(keys, word, () if moment == "now" else (moment,)))
            continue
        wanted: Any = stated["not"] if word == "not" else cast("Any", test)
        if isinstance(wanted, list):
            op, values = ("not_in" if word == "not" else "in"), tuple(cast("list[Any]", wanted))
        else:
            op, values = ("ne" if word == "not" else "eq"), (wanted,)
        found.append(Condition(keys, op, values))
    return tuple(found)


def may_be_filled(one: Field) -> bool:
    """Whether a default may fill a column of a rule."""
    match one.rule:
        case Column() as column:
            return column.default is not None
        case Flags(column=column) | Object(column=column):
            return column.default is not None
        case ToFlags(columns=columns):
            return any(column.default is not None for _, column in columns)
        case _:
            return False
