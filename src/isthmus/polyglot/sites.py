"""Where in documents references stand, as a mapping says it: the path, what it may lead to, the rule. Pure.

Every rule that points somewhere is looked at: columns with `references`, `route`, `rewrite` inside jsonb, junction
arrays, all of them inside child tables too. What a value there becomes is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from bson.dbref import DBRef
from bson.objectid import ObjectId

from isthmus.mapping.model import Collection, Flow, JunctionColumn
from isthmus.mapping.model import Mapping as MappingModel
from isthmus.mapping.paths import show_path
from isthmus.mapping.references import Pointer, own_column, point
from isthmus.mapping.rules import (
    ChildField,
    ColumnField,
    FieldPath,
    FieldRule,
    JunctionField,
    RouteField,
    as_written,
)
from isthmus.mapping.types import ID_FORMS

Step = str | int | None
"""A key of a document, a position of an array (negative from its end), or None: every element."""

SitePath = tuple[Step, ...]

Place = tuple[str | int, ...]
"""A concrete path in one document: keys are texts, positions in arrays are numbers from 0."""


@dataclass(frozen=True)
class Site:
    """One place of a collection's documents where references stand.

    Attributes:
        collection: The source collection.
        path: From the document down; None is every element of an array.
        pointers: What a value there may lead to, in the mapping's order of preference; at least one.
        rule: Where the mapping file says it, for people: `collections.posts.fields.author`.
        column: Table and column that it fills, `table.column`; of a route the columns with `|` between.
        sensitive: Whether its values must not be shown.
        form: What a text must look like to be an id there, besides an ObjectId written out; None where every value is
            one.
    """

    collection: str
    path: SitePath
    pointers: tuple[Pointer, ...]
    rule: str
    column: str
    sensitive: bool = False
    form: str | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """The entries it may lead to, each once."""
        return tuple(dict.fromkeys(pointer.entry for pointer in self.pointers))

    @property
    def by(self) -> FieldPath | None:
        """The field of those entries that its values are compared with; None where they are compared with `_id`."""
        return self.pointers[0].field

    @property
    def shown(self) -> str:
        """Its path for people: `coAuthors[].userId`."""
        return show_site(self.path)


def sites(mapping: MappingModel) -> tuple[Site, ...]:
    """Return every site of a checked mapping, collection by collection, in the order of the file.

    A rule with several paths (`first_of`) has a site for each. Two rules may name one path, for example in entries that
    share a collection; sites with the same collection, path and targets are told once, the first rule's.
    """
    found: dict[tuple[str, SitePath, tuple[Pointer, ...]], Site] = {}
    for collection in mapping.source_collections:
        for flow in mapping.flows_of(collection):
            for site in _of_flow(mapping, flow):
                found.setdefault((site.collection, site.path, site.pointers), site)
    return tuple(found.values())


def found(document: Mapping[str, Any], site: Site) -> Iterator[tuple[Place, object]]:
    """Yield the concrete path and the value of everything that stands at a site, in the document's order.

    Arrays on the way are looked through, also those that the path does not name, and what stands in an array's place
    counts as its one element: a document that is shaped otherwise than the mapping thinks hides nothing. Nulls and what
    is missing are passed over, and what is no id at a site where others may stand; a value is never an array.

    Args:
        document: A decoded document: dicts, lists, and values of any type.
        site: The site.
    """
    for place, value in _walk(document, site.path, ()):
        if site.form is None or _is_id(value, site.form):
            yield place, value


def _is_id(value: object, form: str) -> bool:
    if isinstance(value, str):
        return re.fullmatch(f"{form}|[0-9a-fA-F]{{24}}", value) is not None
    return isinstance(value, (ObjectId, DBRef))


def show_site(path: Sequence[Step]) -> str:
    """Return a path of a site for people: `tags[].by`, `phones[0].owner`; dots in keys have a backslash before them."""
    text = ""
    for step in path:
        if isinstance(step, str):
            text += ("." if text else "") + show_path((step,))
        else:
            text += "[]" if step is None else f"[{step}]"
    return text


def show_place(place: Place) -> str:
    """Return a concrete path for people, as MongoDB writes it: `coAuthors.3.userId`."""
    return show_path(tuple(str(step) for step in place))


def _walk(value: object, path: SitePath, above: Place) -> Iterator[tuple[Place, object]]:
    if value is None:
        return
    if isinstance(value, (list, tuple)):
        elements = cast("Sequence[object]", value)
        step, rest = (path[0], path[1:]) if path and not isinstance(path[0], str) else (None, path)
        if step is None:
            for number, element in enumerate(elements):
                yield from _walk(element, rest, (*above, number))
        elif -len(elements) <= step < len(elements):
            number = step % len(elements)
            yield from _walk(elements[number], rest, (*above, number))
        return
    if not path:
        yield above, value
    elif path[0] in {None, 0, -1}:
        yield from _walk(value, path[1:], above)
    elif isinstance(path[0], str) and isinstance(value, Mapping) and path[0] in value:
        inside = cast("Mapping[str, object]", value)
        yield from _walk(inside[path[0]], path[1:], (*above, path[0]))


def _of_flow(mapping: MappingModel, flow: Flow) -> Iterator[Site]:
    entry = mapping.collections[flow.entry]
    reading = _Reading(mapping, flow, entry)
    yield from reading.rules(entry.fields, entry.table, (), f"collections.{show_path((flow.entry,))}.fields")


@dataclass(frozen=True)
class _Reading:
    """Reads the rules of one flow."""

    mapping: MappingModel
    flow: Flow
    entry: Collection

    def rules(self, rules: tuple[FieldRule, ...], table: str, above: SitePath, at: str) -> Iterator[Site]:
        for rule in rules:
            here = f"{at}.{show_path(rule.path)}"
            if isinstance(rule, ChildField):
                yield from self.rules(rule.fields, rule.table, (*above, *rule.path, None), f"{here}.fields")
            elif isinstance(rule, JunctionField):
                yield self._junction(rule, above, here)
            elif isinstance(rule, RouteField):
                column = f"{table}.{'|'.join(one.column for one in rule.routes)}"
                names = [one.entry for one in rule.routes]
                for path in _paths(rule, above):
                    yield self._site(path, names, here, column, sensitive=rule.sensitive)
            elif isinstance(rule, ColumnField):
                yield from self._column(rule, table, above, here)

    def _column(self, rule: ColumnField, table: str, above: SitePath, here: str) -> Iterator[Site]:
        column = f"{table}.{rule.column}"
        for path in _paths(rule, above):
            if rule.references is not None:
                elements: SitePath = (None,) if rule.is_array else ()
                yield self._site((*path, *elements), [rule.references], here, column, sensitive=rule.sensitive)
            for rewrite in rule.rewrite:
                inside: SitePath = tuple(None if step == "[]" else step for step in rewrite.path)
                place = (*path, *inside)
                where = f"{here}.rewrite.{show_site(inside) or '[]'}"
                column_inside = f"{column}.{show_path(as_written(rewrite.path, rule.rename))}"
                site = self._site(place, [rewrite.collection], where, column_inside, sensitive=rule.sensitive)
                ids = self.mapping.collections[site.targets[0]].ids
                yield replace(site, form=ID_FORMS[ids]) if rewrite.keep_others else site

    def _junction(self, rule: JunctionField, above: SitePath, here: str) -> Site:
        own = own_column(self.mapping, self.flow.entry, rule.junction, rule.own)
        other = _other_end(self.mapping.junctions[rule.junction].columns, own)
        column = f"{rule.junction}.{other.column}"
        return self._site((*above, *rule.path, None), [other.collection], here, column, sensitive=rule.sensitive)

    def _site(self, path: SitePath, names: Sequence[str], rule: str, column: str, *, sensitive: bool) -> Site:
        pointers = [point(self.mapping, name) for name in names]
        known = tuple(dict.fromkeys(pointer for pointer in pointers if pointer is not None))
        return Site(self.flow.collection, path, known, rule, column, sensitive)


def _paths(rule: ColumnField | RouteField, above: SitePath) -> Iterator[SitePath]:
    """Yield where the values of a rule stand that takes one value: each of its fields, or one element of it."""
    for path in rule.paths:
        element: SitePath = () if rule.element is None else (rule.element, *rule.of)
        yield (*above, *path, *element)


def _other_end(columns: tuple[JunctionColumn, JunctionColumn], own: str) -> JunctionColumn:
    return columns[1] if columns[0].column == own else columns[0]
