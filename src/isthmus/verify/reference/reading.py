"""Reads a mapping, given as the plain dict that a YAML reader makes of the file, into plain rules.

States the mapping language a second time: short and long forms, inherited settings, names that follow from other names.
It checks nothing: a mapping that `isthmus check` refuses may do anything here.

Blind spots: a form of the language both readers understand wrongly; words that YAML 1.2 and this reader's loader read
differently (dates without quotes become date objects here, numbers with a point doubles).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path as FilePath
from typing import Any, cast

from isthmus.verify.reference.documents import Json
from isthmus.verify.reference.json_values import Policies
from isthmus.verify.reference.literals import default_json, default_value
from isthmus.verify.reference.rules import (
    Child,
    CollectionRules,
    Column,
    Condition,
    Default,
    Drop,
    Fields,
    Junction,
    Path,
    Reference,
    Skip,
)
from isthmus.verify.reference.values import Setting, Type

Plain = dict[str, Any]

SAME_TYPE = {
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double",
    "float": "double",
    "double precision": "double",
    "decimal": "numeric",
    "bool": "boolean",
    "character varying": "varchar",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}


@dataclass(frozen=True)
class Shape:
    """One table: its columns with their types in order, and the columns that tell its rows apart.

    Attributes:
        kind: `root`, `child` or `junction`.
        collection: Whose documents fill it; None for junction tables, which both sides fill.
        owner: Column that holds the root document's key; None for junction tables.
        references: Column to the collection it refers to.
    """

    table: str
    kind: str
    collection: str | None
    columns: dict[str, Type]
    key: tuple[str, ...]
    owner: str | None
    references: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Rules:
    """A whole mapping: rules by collection, tables by name, and the schema they are in."""

    collections: dict[str, CollectionRules]
    shapes: dict[str, Shape]
    schema: str


def load(path: str | PathLike[str]) -> Plain:
    """The plain dict of a mapping file."""
    from ruamel.yaml import YAML

    return cast("Plain", YAML(typ="safe", pure=True).load(FilePath(path)))  # pyright: ignore[reportUnknownMemberType]


def read(mapping: Plain) -> Rules:
    """All rules of a mapping."""
    return _Reader(mapping).read()


def split_path(text: str) -> Path:
    """Keys of a dotted path; a dot or a backslash after a backslash belongs to the key."""
    parts = [""]
    escaped = False
    for index, character in enumerate(text):
        if escaped:
            parts[-1] += character
            escaped = False
        elif character == "\\" and text[index + 1 : index + 2] in (".", "\\"):
            escaped = True
        elif character == ".":
            parts.append("")
        else:
            parts[-1] += character
    return tuple(parts)


def fold(name: str) -> str:
    """`dueDateAt` to `due_date_at`, `documentIDs` to `document_ids`, `ABCThing` to `abc_thing`, `__v` to `v`.

    Whatever is no letter or digit separates words. A capital begins a word after a small letter or a digit, and also at
    the end of a run of capitals that goes on in small letters, unless those are just a plural s.
    """
    words: list[str] = []
    for chunk in re.split(r"[\W_]+", name):
        word = ""
        for index, character in enumerate(chunk):
            before, after = chunk[:index][-1:], chunk[index + 1 : index + 2]
            goes_on = after.islower() and not (after == "s" and not chunk[index + 2 : index + 3].islower())
            if character.isupper() and word and (not before.isupper() or goes_on):
                words.append(word)
                word = ""
            word += character
        if word:
            words.append(word)
    return "_".join(words).lower()


def parse_type(text: str, enums: dict[str, tuple[str, ...]]) -> Type:
    """`numeric(10,2)`, `text[]`, an enum's name: kind, numbers and whether it is an array."""
    array = text.strip().endswith("[]")
    name, _, after = text.strip().removesuffix("[]").strip().partition("(")
    numbers, _, rest = after.partition(")")
    name = name.strip()
    if name in enums:
        return Type("enum", values=enums[name], array=array)
    word = " ".join(f"{name} {rest}".lower().split())
    kind = SAME_TYPE.get(word, word)
    given = [int(number) for number in numbers.split(",")] if numbers else []
    if kind == "varchar":
        return Type(kind, length=given[0] if given else None, array=array)
    if kind == "numeric" and given:
        return Type(kind, precision=given[0], scale=given[1] if len(given) > 1 else 0, array=array)
    return Type(kind, precision=given[0] if given else None, array=array)


class _Reader:
    def __init__(self, mapping: Plain) -> None:
        self.mapping = mapping
        enums: Plain = mapping.get("enums") or {}
        self.enums = {name: tuple(map(str, values)) for name, values in enums.items()}
        self.policies = self.policies_of(mapping, Policies())
        self.collections: Plain = mapping.get("collections") or {}
        self.junctions: Plain = mapping.get("junctions") or {}
        self.shapes: dict[str, Shape] = {}

    def read(self) -> Rules:
        """Collections first, then the junction tables, whose types follow from both ends."""
        rules = {name: self.collection(name, said) for name, said in self.collections.items() if self.is_carried(said)}
        for table in self.junctions:
            ends = self.ends(table)
            columns = {column: self.id_type(collection) for column, collection in ends.items()}
            self.shapes[table] = Shape(table, "junction", None, columns, tuple(columns), None, ends)
        target: Plain = self.mapping.get("target") or {}
        return Rules(rules, self.shapes, target.get("schema", "public"))

    def is_carried(self, said: Any) -> bool:
        """Whether a collection becomes a table; one may be left behind as a whole with a reason."""
        return isinstance(said, dict) and not isinstance(cast("Plain", said).get("skip"), str)

    def policies_of(self, said: Plain, inherited: Policies) -> Policies:
        """Policies stated here, else the inherited ones."""
        stated: Plain = said.get("policies") or {}
        names = ("nul", "utf8", "nan", "range")
        # YAML reads the bare word null as nothing at all.
        chosen = {name: "null" if stated[name] is None else stated[name] for name in names if name in stated}
        return Policies(**{**inherited.__dict__, **chosen})

    def ids_of(self, collection: str) -> str:
        """The id scheme of a collection: its own or the mapping's."""
        said: Plain = self.collections.get(collection) or {}
        return said.get("ids") or self.mapping.get("ids") or "uuid"

    def id_column(self, collection: str) -> tuple[str, Type]:
        """Name and type of a collection's key column."""
        whole: Plain = self.collections.get(collection) or {}
        fields: Plain = whole.get("fields") or {}
        said: Any = fields.get("_id") or {}
        stated: Plain = {"type": said} if isinstance(said, str) else cast("Plain", said)
        scheme = self.ids_of(collection)
        own_type = (
            parse_type(str(stated["type"]).strip().rstrip("!"), self.enums) if stated.get("type") else Type("text")
        )
        return stated.get("column") or "id", Type("uuid") if scheme == "uuid" else own_type

    def id_type(self, collection: str) -> Type:
        """Type of every column that holds an id of that collection."""
        return self.id_column(collection)[1]

    def reference_to(self, collection: str) -> Reference:
        """A reference to documents of that collection."""
        return Reference(collection, self.ids_of(collection))

    def ends(self, table: str) -> dict[str, str]:
        """Column to collection, of a junction's two columns."""
        said: Plain = self.junctions[table]
        columns: Plain = said["columns"] if isinstance(said.get("columns"), dict) else said
        return dict(columns)

    def name_of(self, path: Path) -> str:
        """The column a path becomes when the mapping does not say."""
        if self.mapping.get("naming") == "keep":
            return "_".join(path)
        return fold(" ".join(path))

    def collection(self, name: str, said: Plain) -> CollectionRules:
        """Rules of one collection."""
        id_name, id_type = self.id_column(name)
        table = said.get("table") or self.name_of((name,))
        extras = said.get("extras") or self.mapping.get("extras") or "extras"
        shape = Shape(table, "root", name, {id_name: id_type}, (id_name,), id_name)
        self.shapes[table] = shape
        tree: Fields = []
        stated: Plain = said.get("fields") or {}
        self.fields({key: rule for key, rule in stated.items() if key != "_id"}, shape, tree, extras)
        extras_column = None if extras == "dead_letter" else extras
        if extras_column:
            shape.columns[extras_column] = Type("jsonb")
        id_rule = Column(table, id_name, id_type, Setting(policies=self.policies))
        return CollectionRules(
            collection=name,
            ids=self.ids_of(name),
            id_column=id_rule,
            table=table,
            extras=extras_column,
            fields=tree,
            skips=tuple(self.skip(one) for one in said.get("skip") or ()),
            policies=Setting(policies=self.policies),
        )

    def skip(self, said: Plain) -> Skip:
        """One skip rule: paths with a value, a list of values, `{not: …}` of either, or a state: `{missing: true}`."""
        conditions: list[Condition] = []
        for path, test in cast("Plain", said["when"]).items():
            keys = split_path(str(path))
            stated = cast("dict[str | None, Any]", test) if isinstance(test, dict) else {}
            # YAML reads the bare word null as nothing at all.
            word = next(iter(stated), "") or ("null" if stated else "")
            if word in ("missing", "null", "present"):
                conditions.append(Condition(keys, word))
                continue
            wanted: Any = stated["not"] if word == "not" else cast("Any", test)
            if isinstance(wanted, list):
                op, values = ("not_in" if word == "not" else "in"), tuple(cast("list[Any]", wanted))
            else:
                op, values = ("ne" if word == "not" else "eq"), (wanted,)
            conditions.append(Condition(keys, op, values))
        return Skip(said["why"], tuple(conditions))

    def fields(self, said: Plain, shape: Shape, tree: Fields, extras: str) -> None:
        """Rules of a `fields` map, added to `tree`; their columns are added to the table.

        `extras` is the collection's own, which child tables at every depth have unless they say otherwise.
        """
        collection = str(shape.collection)
        for key, rule in said.items():
            stated: Plain = cast("Plain", rule) if isinstance(rule, dict) else self.short(rule)
            path = self.path(stated.get("path", str(key)))
            if "drop" in stated:
                tree.append((path, Drop()))
            elif "junction" in stated:
                tree.append((path, self.junction(stated, collection)))
            elif "child" in stated:
                tree.append((path, self.child(stated, collection, shape, extras)))
            else:
                column = self.column(stated, path, shape.table)
                shape.columns[column.name] = column.type
                if column.reference is not None:
                    shape.references[column.name] = column.reference.collection
                tree.append((path, column))

    def path(self, said: Any) -> Path:
        """A path as dotted text, or as a list of keys."""
        return tuple(map(str, cast("list[Any]", said))) if isinstance(said, list) else split_path(str(said))

    def short(self, rule: Any) -> Plain:
        """The short form, a type with an exclamation mark for required, as the long one."""
        text = str(rule).strip()
        return {"type": text.rstrip("!").strip(), "required": text.endswith("!")}

    def column(self, said: Plain, path: Path, table: str) -> Column:
        """One column rule."""
        type_text = str(said.get("type") or "").strip()
        required = bool(said.get("required")) or type_text.endswith("!")
        reference = self.reference_to(said["references"]) if said.get("references") else None
        if type_text or reference is None:
            kind = parse_type(type_text.rstrip("!"), self.enums)
        else:
            kind = self.id_type(reference.collection)
        default = self.default(said["default"], kind) if said.get("default") is not None else None
        places: Plain = said.get("rewrite") or {}
        rewrite = tuple((rewrite_path(at), self.reference_to(name)) for at, name in places.items())
        return Column(
            table=table,
            name=said.get("column") or self.name_of(path),
            type=kind,
            setting=Setting(bool(said.get("coerce")), self.policies_of(said, self.policies)),
            required=required,
            default=default,
            default_for_null="default_for" in said and self.names_null(said["default_for"]),
            reference=reference,
            rewrite=rewrite,
        )

    def names_null(self, said: Any) -> bool:
        """Whether `default_for`, one word or a list, names null; YAML reads that bare word as nothing at all."""
        return any(state in (None, "null") for state in (cast("list[Any]", said) if isinstance(said, list) else [said]))

    def default(self, said: Any, kind: Type) -> Default:
        """`now` and `id_time` are moments where the column holds moments; all else is a literal."""
        if kind.kind in ("date", "timestamp", "timestamptz") and said in ("now", "id_time"):
            return Default(said)
        if isinstance(said, dict):
            stated = cast("Plain", said)
            said = stated["literal"] if list(stated) == ["literal"] else stated
        if kind.kind == "jsonb":
            return Default("literal", Json(default_json(said)))
        return Default("literal", default_value(said, kind))

    def junction(self, said: Plain, collection: str) -> Junction:
        """Pairs: our side is the named column, else the one whose collection this is."""
        table: str = said["junction"]
        ends = self.ends(table)
        own = said.get("own") or next(column for column, name in ends.items() if name == collection)
        other = next(column for column in ends if column != own)
        end = Column(table, other, self.id_type(ends[other]), Setting(policies=self.policies))
        return Junction(table, own, end, self.reference_to(ends[other]))

    def child(self, said: Plain, collection: str, above: Shape, extras: str) -> Child:
        """A child table: the root's key, a position for each child table above, its own, its fields, its extras."""
        table: str = said["child"]
        own = said.get("own") or f"{above.table}_id"
        ancestors = (*above.key[1:-1], f"{above.table}_position") if above.kind == "child" else ()
        columns = {own: self.id_type(collection), **{name: Type("integer") for name in ancestors}}
        columns["position"] = Type("integer")
        own_extras = said.get("extras") or extras
        shape = Shape(table, "child", collection, columns, (own, *ancestors, "position"), own)
        self.shapes[table] = shape
        tree: Fields = []
        self.fields(said.get("fields") or {}, shape, tree, extras)
        kept = None if own_extras == "dead_letter" else own_extras
        if kept:
            columns[kept] = Type("jsonb")
        return Child(table, own, ancestors, "position", kept, tree)


def rewrite_path(text: str) -> Path:
    """A path inside jsonb: `[].userId`, `a.b[].c`; `[]` is every element."""
    steps: list[str] = []
    for part in split_path(text):
        name, brackets = part, 0
        while name.endswith("[]"):
            name, brackets = name[:-2], brackets + 1
        steps += [*([name] if name or not brackets else []), *["[]"] * brackets]
    return tuple(steps)
