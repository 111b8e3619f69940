"""What differs between two of models, migrations and a database, as sentences that name both sides. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from isthmus.govern.catalog.compare import Difference, differences, shown
from isthmus.govern.catalog.model import Catalog, Key, Value
from isthmus.govern.models.scope import is_foreign

Side = Literal["models", "migrations", "database"]
_RIGHTS = frozenset({"owner", "grants"})
_BESIDE = frozenset({"default privileges", "setting", "user mapping"})
"""Kinds that are a server's own affair."""


@dataclass(frozen=True)
class Drift:
    """One thing in which two sides differ.

    Attributes:
        key: Of which object.
        prop: Which of its properties; None where the object as a whole is on one side alone.
        values: Each side → what it has; of an object as a whole, whether it is there.
    """

    key: Key
    prop: str | None
    values: tuple[tuple[Side, Value], tuple[Side, Value]]

    @property
    def sentence(self) -> str:
        """What an operator reads."""
        what = f"{self.key.kind} {self.key.place}"
        (first, one), (second, other) = self.values
        if self.prop is None:
            has, lacks = (first, second) if one else (second, first)
            return f"{what}: in the {has}, not in the {lacks}."
        return f"{what}: its {self.prop} is {shown(one)} in the {first}, {shown(other)} in the {second}."

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "kind": self.key.kind,
            "schema": self.key.schema,
            "name": self.key.name,
            "part": self.key.part or None,
            "property": self.prop,
            **dict(self.values),
            "message": self.sentence,
        }


def drifts(first: tuple[Side, Catalog], second: tuple[Side, Catalog]) -> list[Drift]:
    """Return in what two catalogs differ, by schema and name; the order of columns is no difference."""
    return [
        Drift(one.key, one.property, ((first[0], one.before), (second[0], one.after)))
        for one in differences(first[1], second[1])
    ]


def explained(found: Iterable[Drift], pending: Collection[Difference]) -> list[Drift]:
    """Return what is not explained by migrations that are pending: what these change may be another thing meanwhile."""
    changed = {(one.key, one.property) for one in pending}
    whole = {one.key[1:3] for one in pending if one.property is None and one.key.kind == "table"}
    return [one for one in found if (one.key, one.prop) not in changed and one.key[1:3] not in whole]


def governed(catalog: Catalog, migrated: Catalog, others: Collection[Key] = ()) -> Catalog:
    """Return what of a database is the migrations' to decide.

    That is what stands in the schemas in which they made something, and besides what they made outside of schemas.
    Rights and owners belong to the server, other runners' histories to those.

    Args:
        catalog: Of the database, or of the migrations themselves.
        migrated: All that the migrations made.
        others: What others made, and what of the database hangs on it.
    """
    schemas = schemas_of(migrated)
    return {
        key: {name: value for name, value in one.items() if name not in _RIGHTS}
        for key, one in catalog.items()
        if key not in others
        and key.kind not in _BESIDE
        and not is_foreign(key)
        and (key.schema in schemas if key.schema else key in migrated)
    }


def schemas_of(catalog: Catalog) -> set[str]:
    """Return the schemas in which something stands, `public` among them."""
    return {key.schema for key in catalog if key.schema and not is_foreign(key)} | {"public"}


def elsewhere(database: Catalog, migrated: Catalog) -> list[str]:
    """Return the schemas of a database in which tables stand and the migrations made nothing."""
    held = {key.schema for key in database if key.kind == "table" and not is_foreign(key)}
    return sorted(held - schemas_of(migrated))


def unsound(database: Catalog) -> list[str]:
    """Return what a database has and does not rely on: constraints not validated, indexes not valid, as sentences."""
    found: list[str] = []
    for key, one in sorted(database.items()):
        if key.kind == "constraint" and not one["validated"]:
            found.append(f"constraint {key.place}: it is not validated; rows that were there before may break it.")
        elif key.kind == "index" and not one["valid"]:
            found.append(f"index {key.place}: it is invalid; drop it and make it again.")
    return found
