"""What a mapping that is there leaves to a proposal beside it: names that are taken, ids and keys as it says. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.mapping.model import (
    ChildField,
    Collection,
    ColumnField,
    FieldRule,
    Mapping,
    RouteField,
    ToFlagsField,
    walk,
)
from isthmus.mapping.references import is_unique
from isthmus.survey.profile import ELEMENT, Path
from isthmus.survey.propose.ids import IdChoice


class Beside:
    """Answers for a mapping; for None, nothing is taken."""

    def __init__(self, mapping: Mapping | None = None) -> None:
        self._mapping = mapping

    def _entry(self, collection: str) -> Collection | None:
        if self._mapping is None:
            return None
        flows = self._mapping.flows_of(collection)
        return self._mapping.collections[flows[0].entry] if flows else None

    def has(self, collection: str) -> bool:
        """Tell whether a collection is carried."""
        return self._entry(collection) is not None

    def names(self) -> set[str]:
        """Return the names of tables, junctions, enums and indexes."""
        if self._mapping is None:
            return set()
        found = {*self._mapping.enums, *self._mapping.junctions}
        for entry in self._mapping.collections.values():
            children = [rule for rule in walk(entry.fields) if isinstance(rule, ChildField)]
            found |= {entry.table, *(child.table for child in children)}
            for index in (*entry.indexes, *(index for child in children for index in child.indexes)):
                found |= {index.name} if index.name else set()
        return found

    def table(self, collection: str) -> str | None:
        """Return the root table of a collection that is carried."""
        entry = self._entry(collection)
        return entry.table if entry is not None else None

    def ids(self, collection: str) -> IdChoice | None:
        """Return what becomes of a carried collection's ids."""
        entry = self._entry(collection)
        if entry is None:
            return None
        return IdChoice(str(entry.id.type), keep=entry.ids == "keep")

    def may_be_pointed_at(self, collection: str) -> bool:
        """Tell whether references may name a collection: it is not skipped, and one table holds its ids."""
        if self._mapping is None:
            return True
        if self._mapping.why_skipped(collection) is not None:
            return False
        entry = self._entry(collection)
        return entry is None or (len(self._mapping.flows_of(collection)) == 1 and entry.id.kept and entry.key is None)

    def leaves_some(self, collection: str) -> bool:
        """Tell whether a carried collection leaves documents behind by a rule: references to them are orphans."""
        entry = self._entry(collection)
        return entry is not None and bool(entry.skip or entry.when)

    def has_key(self, collection: str, path: Path, type_: str) -> bool | None:
        """Tell whether a carried collection has a unique column of a field; None where it is not carried yet."""
        entry = self._entry(collection)
        if entry is None:
            return None
        return any(
            isinstance(rule, ColumnField)
            and rule.paths == (path,)
            and str(rule.type) == type_
            and rule.references is None
            and is_unique(entry, rule.column)
            for rule in entry.fields
        )

    def columns(self, collection: str) -> set[str]:
        """Return the names of a root table's columns."""
        entry = self._entry(collection)
        if entry is None:
            return set()
        constants = {constant.column for constant in entry.constants}
        return {entry.id.column, entry.extras} | constants | _columns(entry.fields)

    def child_columns(self, collection: str, at: Path) -> set[str]:
        """Return the names of the columns of a child table, by the path of its array with `[]` for those around it."""
        entry = self._entry(collection)
        if entry is None:
            return set()
        for path, child in _children(entry.fields, ()):
            if path == at:
                return _columns(child.fields) | {child.extras}
        return set()


def _children(rules: tuple[FieldRule, ...], above: Path) -> Iterator[tuple[Path, ChildField]]:
    for rule in rules:
        if isinstance(rule, ChildField):
            path = (*above, *rule.path)
            yield path, rule
            yield from _children(rule.fields, (*path, ELEMENT))


def _columns(rules: tuple[FieldRule, ...]) -> set[str]:
    found: set[str] = set()
    for rule in rules:
        if isinstance(rule, ColumnField):
            found.add(rule.column)
        elif isinstance(rule, ToFlagsField):
            found |= {flag.column for flag in rule.flags}
        elif isinstance(rule, RouteField):
            found |= {route.column for route in rule.routes}
    return found
