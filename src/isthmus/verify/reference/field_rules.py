"""Reads the rules of a `fields` map: each form of rule, its columns, and the child tables below."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from isthmus.verify.reference.language import Language, Plain, literal, long_form
from isthmus.verify.reference.names import rewrite_path, stated_path
from isthmus.verify.reference.rules import (
    Child,
    Column,
    Default,
    Drop,
    Element,
    Field,
    Fields,
    Flags,
    Junction,
    Object,
    Path,
    Reference,
    Route,
    ToFlags,
)
from isthmus.verify.reference.shapes import Shape, Unique
from isthmus.verify.reference.values import Setting, Type


@dataclass(frozen=True)
class FieldReader:
    """Reads the fields of one flow; tables that are met are added to `shapes`."""

    language: Language
    entry: str
    flow: int
    shapes: dict[str, Shape]

    def fields(self, said: Plain, shape: Shape, tree: Fields, extras: str) -> None:
        """Rules of a `fields` map, added to `tree`; their columns are added to the table.

        `extras` is the entry's own, which child tables at every depth have unless they say otherwise.
        """
        for key, rule in said.items():
            stated = long_form(rule)
            paths = (stated_path(stated.get("path", str(key))),)
            if stated.get("first_of"):
                paths = tuple(stated_path(path) for path in stated["first_of"])
            name = self.language.default_name(key, stated)
            if "drop" in stated:
                tree.append(Field(paths, Drop()))
            elif "junction" in stated:
                tree.append(Field(paths, self.junction(stated)))
            elif "child" in stated:
                tree.append(Field(paths, self.child(stated, shape, extras)))
            elif "flags" in stated:
                flags: Plain = stated["flags"]
                column = self.column(stated, shape, name)
                labels = tuple(map(str, flags.values()))
                tree.append(Field(tuple(map(stated_path, flags)), Flags(column, labels, bool(stated.get("coerce")))))
            elif "object" in stated:
                members: Plain = members_of(stated["object"])
                made = Object(self.column(stated, shape, name), tuple(members))
                tree.append(Field(tuple(map(stated_path, members.values())), made))
            elif "to_flags" in stated:
                tree.append(Field(paths, self.to_flags(stated, shape)))
            elif "route" in stated:
                tree.append(Field(paths, self.route(stated, shape), self.element(stated)))
            else:
                tree.append(Field(paths, self.column(stated, shape, name), self.element(stated)))

    def element(self, said: Plain) -> Element | None:
        """The part of an array a rule takes."""
        if said.get("element") is None:
            return None
        of = stated_path(said["of"]) if said.get("of") is not None else ()
        return Element(int(said["element"]), of, bool(said.get("coerce")), said.get("others") is not None)

    def column(self, said: Plain, shape: Shape, name: str) -> Column:
        """A rule that makes one column."""
        column = self.language.column(said, shape.table, name)
        places: Plain = said.get("rewrite") or {}
        keys: Plain = said.get("rename") or {}
        reference = column.reference
        if reference is not None:
            reference = replace(reference, on_orphan=self.stated_orphan(said))
        column = replace(
            column,
            default=self.default(said["default"], column.type) if said.get("default") is not None else None,
            default_for_null="default_for" in said and names_null(said["default_for"]),
            reference=reference,
            rewrite=tuple((rewrite_path(at), self.rewritten(stated)) for at, stated in places.items()),
            rename=tuple((rewrite_path(at), str(to)) for at, to in keys.items()),
        )
        shape.add(column.name, column.type, reference=reference)
        if said.get("unique") and shape.kind == "root":
            shape.uniques.append(Unique((column.name,)))
        return column

    def rewritten(self, said: Any) -> Reference:
        """What the values at a place inside jsonb refer to: a name, or a name with what becomes of other values."""
        stated: Plain = cast("Plain", said) if isinstance(said, dict) else {"to": said}
        return replace(self.language.reference(stated["to"]), keep_others=stated.get("others") == "keep")

    def stated_orphan(self, said: Plain) -> str | None:
        """What the rule states for orphans; YAML reads the bare word null as nothing at all."""
        return "null" if "on_orphan" in said and said["on_orphan"] is None else said.get("on_orphan")

    def default(self, said: Any, kind: Type) -> Default:
        """`now` and `id_time` are moments where the column holds moments; all else is a literal."""
        if kind.kind in ("date", "timestamp", "timestamptz") and said in ("now", "id_time"):
            return Default(said)
        if isinstance(said, dict):
            stated = cast("Plain", said)
            said = stated["literal"] if list(stated) == ["literal"] else stated
        return Default("literal", literal(said, kind))

    def to_flags(self, said: Plain, shape: Shape) -> ToFlags:
        """A boolean column for each label."""
        columns: list[tuple[str, Column]] = []
        labels: Plain = said["to_flags"]
        for label, own in labels.items():
            stated: Plain = cast("Plain", own) if isinstance(own, dict) else {"column": own}
            column = self.column({**stated, "type": "boolean"}, shape, self.language.name_of((str(label),)))
            columns.append((str(label), column))
        return ToFlags(tuple(columns))

    def route(self, said: Plain, shape: Shape) -> Route:
        """A nullable reference for each entry."""
        columns: list[tuple[Column, Reference]] = []
        routes: Plain = said["route"]
        for entry, own in routes.items():
            stated: Plain = cast("Plain", own) if isinstance(own, dict) else {"column": own}
            reference = {"references": entry, "column": stated["column"], "policies": said.get("policies")}
            if "on_orphan" in said:
                reference["on_orphan"] = said["on_orphan"]
            column = self.column(reference, shape, str(stated["column"]))
            columns.append((column, self.language.reference(entry)))
        names = tuple(column.name for column, _ in columns)
        if names not in shape.routes:
            shape.routes.append(names)
        fields: list[tuple[str, Path]] = []
        for name, own in zip(names, routes.values(), strict=True):
            if isinstance(own, dict) and "field" in own:
                fields.append((name, stated_path(cast("Plain", own)["field"])))
        return Route(tuple(columns), bool(said.get("required")), tuple(fields))

    def junction(self, said: Plain) -> Junction:
        """Pairs: our side is the named column, else the one that points at our entry."""
        table: str = said["junction"]
        ends = {column: self.language.reference(end) for column, end in self.language.ends(table).items()}
        mine = self.language.table(self.entry)
        own = said.get("own") or next(name for name, end in ends.items() if self.language.table(end.entry) == mine)
        other = next(column for column in ends if column != own)
        kind = self.language.id_type(ends[other].entry)
        end = Column(table, other, kind, Setting(policies=self.language.policies), reference=ends[other])
        return Junction(table, own, end, ends[other])

    def child(self, said: Plain, above: Shape, extras: str) -> Child:
        """A child table: the root's key, a position for each child table above, its own, its fields, its extras."""
        table: str = said["child"]
        own = said.get("own") or f"{above.table}_id"
        ancestors = (*above.key[1:-1], f"{above.table}_position") if above.kind == "child" else ()
        shape = self.shapes.setdefault(table, Shape(table, "child", key=(own, *ancestors, "position"), owner=own))
        shape.flows.append(self.flow)
        shape.entries.add(self.entry)
        shape.above = above.table
        shape.add(own, self.language.id_column(self.entry)[1])
        for name in (*ancestors, "position"):
            shape.add(name, Type("integer"))
        own_extras = said.get("extras") or extras
        tree: Fields = []
        self.fields(said.get("fields") or {}, shape, tree, extras)
        kept = None if own_extras == "dead_letter" else own_extras
        if kept:
            shape.add_extras(kept)
        return Child(table, own, ancestors, "position", kept, tree)


def names_null(said: Any) -> bool:
    """Whether `default_for`, one word or a list, names null; YAML reads that bare word as nothing at all."""
    return any(state in (None, "null") for state in (cast("list[Any]", said) if isinstance(said, list) else [said]))


def members_of(said: Any) -> Plain:
    """Keys of an object with the path of each; of a list, each field under the last key of its path."""
    if isinstance(said, dict):
        return {str(key): path for key, path in cast("Plain", said).items()}
    return {stated_path(path)[-1]: path for path in cast("list[Any]", said)}
