"""What the parts of a mapping outside a field's rule say, looked up by name in the plain dict of its YAML.

Everything here may be asked in any order, for one entry may point at another that stands below it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from isthmus.verify.reference.columns import Json
from isthmus.verify.reference.json_values import Policies
from isthmus.verify.reference.literals import default_json, default_value
from isthmus.verify.reference.names import fold, parse_type, split_path, stated_path
from isthmus.verify.reference.rules import Column, Path, Reference, Values
from isthmus.verify.reference.shapes import HIDDEN_ID
from isthmus.verify.reference.values import Setting, Type

Plain = dict[str, Any]


class Language:
    """One mapping file.

    Args:
        mapping: Its plain dict.
    """

    def __init__(self, mapping: Plain) -> None:
        self.mapping = mapping
        enums: Plain = mapping.get("enums") or {}
        self.enums = {name: tuple(map(str, values)) for name, values in enums.items()}
        self.policies = policies_of(mapping, Policies())
        collections: Plain = mapping.get("collections") or {}
        self.entries: dict[str, Plain] = {name: said for name, said in collections.items() if is_carried(said)}
        self.junctions: Plain = mapping.get("junctions") or {}

    def type_of(self, text: str) -> Type:
        """A type as it is written, with or without an exclamation mark."""
        return parse_type(text.strip().rstrip("!"), self.enums)

    def name_of(self, path: Path) -> str:
        """The column a path becomes when the mapping does not say."""
        if self.mapping.get("naming") == "keep":
            return "_".join(path)
        return fold(" ".join(path))

    def table(self, entry: str) -> str:
        """The root table of an entry."""
        return self.entries[entry].get("table") or self.name_of((entry,))

    def sources(self, entry: str) -> dict[str, Plain]:
        """The collections an entry reads, with the constants that hold for each alone."""
        said: Any = self.entries[entry].get("from")
        if said is None:
            return {entry: {}}
        if isinstance(said, dict):
            return {str(name): cast("Plain", own) or {} for name, own in cast("Plain", said).items()}
        return {str(name): {} for name in (cast("list[Any]", said) if isinstance(said, list) else [said])}

    def constants(self, entry: str) -> dict[str, Plain]:
        """Constant columns in long form."""
        said: Plain = self.entries[entry].get("constants") or {}
        return {
            name: cast("Plain", stated) if isinstance(stated, dict) else {"type": stated}
            for name, stated in said.items()
        }

    def ids_of(self, entry: str) -> str:
        """The id scheme of an entry: its own or the mapping's."""
        return self.entries[entry].get("ids") or self.mapping.get("ids") or "uuid"

    def key(self, entry: str) -> tuple[str, ...] | None:
        """The stated primary key, empty for `none`; None when the id is the key."""
        said: Any = self.entries[entry].get("key")
        if said is None:
            return None
        if said == "none":
            return ()
        return tuple(map(str, cast("list[Any]", said))) if isinstance(said, list) else (str(said),)

    def id_column(self, entry: str) -> tuple[str, Type]:
        """Name and type of the column that takes the id; with a key of its own and no rule for `_id` a hidden one."""
        fields: Plain = self.entries[entry].get("fields") or {}
        said: Any = fields.get("_id")
        stated: Plain = {"type": said} if isinstance(said, str) else cast("Plain", said or {})
        own_type = self.type_of(str(stated["type"])) if stated.get("type") else Type("text")
        hidden = self.key(entry) is not None and said is None
        kind = Type("uuid") if self.ids_of(entry) == "uuid" else own_type
        return HIDDEN_ID if hidden else stated.get("column") or "id", kind

    def id_type(self, entry: str) -> Type:
        """Type of the column a reference to this entry has: that of its id, or of its key where it keeps no id."""
        name, kind = self.id_column(entry)
        key = self.key(entry)
        if name == HIDDEN_ID and key is not None and len(key) == 1:
            return self.column_type(entry, key[0])
        return kind

    def column_type(self, entry: str, column: str) -> Type:
        """Type of a root table's column that a constant or a field's rule makes."""
        if column in self.constants(entry):
            return self.type_of(str(self.constants(entry)[column]["type"]))
        return self.plain_column(entry, column=column).type

    def plain_column(self, entry: str, *, path: Path | None = None, column: str = "") -> Column:
        """The column that an entry's own fields make of a path, or the one of a name, but for defaults.

        Nothing else of the entry is read: what its other columns refer to may lead back here.
        """
        fields: Plain = self.entries[entry].get("fields") or {}
        for key, rule in fields.items():
            stated = long_form(rule)
            if key == "_id" or {"drop", "junction", "child", "route", "to_flags"} & stated.keys():
                continue
            name = stated.get("column") or self.default_name(key, stated)
            found = stated_path(stated.get("path", str(key)))
            if (path is None and name == column) or (
                path == found and not {"flags", "object", "first_of", "element"} & stated.keys()
            ):
                return self.column(stated, self.table(entry), name)
        raise KeyError(path or column)

    def default_name(self, key: str, stated: Plain) -> str:
        """A column's name when the rule does not state one."""
        if {"first_of", "flags", "object", "element"} & stated.keys():
            return self.name_of(split_path(str(key)))
        return self.name_of(stated_path(stated.get("path", str(key))))

    def column(self, said: Plain, table: str, name: str) -> Column:
        """What a rule says about its column, but for defaults, rewriting and what it refers to."""
        type_text = str(said.get("type") or "").strip()
        reference = self.reference(said["references"], type_text) if said.get("references") else None
        said_how: Any = said.get("normalise") or ()
        how: tuple[str, ...] = (said_how,) if isinstance(said_how, str) else tuple(said_how)
        if reference is not None and reference.by is not None:
            by, coerce = reference.by, bool(said.get("coerce"))
            setting = replace(by.setting, coerce=by.setting.coerce or coerce)
            reference = replace(reference, by=replace(by, setting=setting, normalise=(*by.normalise, *how)))
        if type_text or reference is None:
            kind = self.type_of(type_text)
        elif reference.by is not None and not reference.lookup:
            kind = reference.type
        else:
            kind = self.id_type(reference.entry)
        return Column(
            table=table,
            name=said.get("column") or name,
            type=kind,
            setting=Setting(bool(said.get("coerce")), policies_of(said, self.policies)),
            required=bool(said.get("required")) or type_text.endswith("!"),
            reference=reference,
            normalise=how,
            values=values_of(said.get("values") or {}, kind),
            identity=said.get("identity"),
        )

    def reference(self, said: Any, type_text: str = "") -> Reference:
        """What `references` points at: an entry or a collection it reads, by id or by another field.

        The value itself is kept where it is compared with what the entry's rows are known by anyway (their key, if
        they keep no id), or where the rule states the type of the other field.
        """
        text = str(said)
        names = {name: name for name in self.entries}
        for entry in self.entries:
            for source in self.sources(entry):
                names.setdefault(source, entry)
        named = max((name for name in names if text == name or text.startswith(f"{name}.")), key=len)
        entry = names[named]
        sources = list(self.sources(entry))
        hashed = named if named not in self.entries else sources[0] if len(sources) == 1 else entry
        id_name, id_type = self.id_column(entry)
        rewritten = bool(self.entries[entry].get("rewritten"))
        by_id = Reference(entry, hashed, self.ids_of(entry), id_type, lookup=id_name == HIDDEN_ID, rewritten=rewritten)
        if named == text:
            return by_id
        wanted = split_path(text[len(named) + 1 :])
        if wanted == ("_id",):
            return by_id
        by = self.plain_column(entry, path=wanted)
        stated = self.type_of(type_text.strip().rstrip("!").strip().removesuffix("[]")) if type_text.strip() else None
        known_by = id_name if id_name != HIDDEN_ID else (self.key(entry) or ("",))[0]
        lookup = by.name != known_by and stated != by.type
        return Reference(entry, hashed, self.ids_of(entry), by.type, by=by, lookup=lookup)

    def ends(self, table: str) -> dict[str, str]:
        """Column to what it points at, of a junction's two columns."""
        said: Plain = self.junctions[table]
        return dict(said["columns"] if isinstance(said.get("columns"), dict) else said)


def is_carried(said: Any) -> bool:
    """Whether an entry becomes a table; one may be left behind as a whole with a reason."""
    return isinstance(said, dict) and not isinstance(cast("Plain", said).get("skip"), str)


def long_form(rule: Any) -> Plain:
    """A rule's short form, a type with an exclamation mark for required, as the long one."""
    if isinstance(rule, dict):
        return cast("Plain", rule)
    text = str(rule).strip()
    return {"type": text.rstrip("!").strip(), "required": text.endswith("!")}


def policies_of(said: Plain, inherited: Policies) -> Policies:
    """Policies stated here, else the inherited ones."""
    stated: Plain = said.get("policies") or {}
    names = ("nul", "utf8", "nan", "range")
    # YAML reads the bare word null as nothing at all.
    chosen = {name: "null" if stated[name] is None else stated[name] for name in names if name in stated}
    return Policies(**{**inherited.__dict__, **chosen})


def values_of(said: dict[Any, Any], kind: Type) -> Values:
    """Replaced values, each with what a column of this type (of an array: its element) then holds."""
    element = Type(kind.kind, kind.length, kind.precision, kind.scale, kind.values)
    made = {key: None if becomes is None else literal(becomes, element) for key, becomes in said.items()}
    pairs = tuple((key, becomes) for key, becomes in made.items() if key != "*")
    return Values(pairs, (made["*"],) if "*" in made else None)


def literal(said: Any, kind: Type) -> Any:
    """What a column of this type holds when the author writes this, which is not null."""
    return Json(default_json(said)) if kind.kind == "jsonb" else default_value(said, kind)
