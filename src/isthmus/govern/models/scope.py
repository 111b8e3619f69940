"""What models speak of: the part of a catalog that is theirs to decide. Pure.

Models can name schemas, tables, columns, constraints, indexes, comments and types; by events also functions and
triggers. What they cannot say, such as views, rights or row security, is left to the migrations, and nothing of it
differs from them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from isthmus.govern.catalog.model import ON_A_RELATION, RELATIONS, Catalog, Key, Properties, Value
from isthmus.govern.catalog.spelling import EXPRESSIONS, one_spelling

_SPOKEN = frozenset({"table", "column", "constraint", "index", "trigger", "type", "function", "procedure", "sequence"})
_BY_MIGRATIONS_TOO = frozenset({"function", "procedure", "sequence"})
"""Kinds of which migrations may hold more than the models."""
_UNSPOKEN = frozenset(
    {
        "owner",
        "grants",
        "row security",
        "replica identity",
        "statistics",
        "storage",
        "compression",
        "clustered",
        "fires",
        "switched on",
        "server options",
        "access method",
    }
)
_FOREIGN_TABLES = frozenset({"_prisma_migrations", "__drizzle_migrations", "alembic_version"})
_NAME = r'("(?:[^"]|"")+"|[^\s".(]+)'
_EXECUTES = re.compile(rf" EXECUTE FUNCTION {_NAME}\.{_NAME}\(")
FOREIGN_SCHEMAS = ("isthmus", "drizzle")
"""Schemas in which deployers keep their own state."""


@dataclass(frozen=True)
class Sides:
    """Two catalogs, cut to what models speak of.

    Attributes:
        migrated: What is there.
        models: What the models say.
        unspoken: What is there and the models say nothing of, in the schemas that they use.
        elsewhere: Schemas that hold tables and that the models do not use.
    """

    migrated: Catalog
    models: Catalog
    unspoken: tuple[Key, ...]
    elsewhere: tuple[str, ...]


def sides(migrated: Catalog, models: Catalog, schemas: Collection[str], others: Collection[Key] = ()) -> Sides:
    """Cut two catalogs to what models speak of.

    Args:
        migrated: What is there.
        models: The catalog of a database that was made of the models.
        schemas: Those that the models use.
        others: What belongs to other migrations than those that are compared.
    """
    ours = cut(models, schemas)
    theirs: Catalog = {}
    unspoken: list[Key] = []
    there = cut(migrated, schemas)
    foreign = hanging_on(there, [key for key in others if key not in ours])
    partitions = {
        key[1:3] for key, one in there.items() if key.kind == "table" and one.get("bound") and key not in ours
    }
    for key, one in there.items():
        if key in others and key not in ours:
            continue
        if key[1:3] in partitions and key.kind in {"table", *ON_A_RELATION}:
            unspoken += [key] if key.kind == "table" else []
        elif key in ours or not (_more(key, one, ours) or key in foreign):
            theirs[key] = one
        else:
            unspoken.append(key)
    unspoken += [
        key
        for key in migrated
        if key.kind in {"view", "materialized view"} and key.schema in schemas and key not in others
    ]
    elsewhere = {
        key.schema for key in migrated if key.kind == "table" and key not in others and not is_foreign(key)
    } - set(schemas)
    return Sides(theirs, ours, tuple(sorted(unspoken)), tuple(sorted(elsewhere)))


def _spelt(name: str, value: Value) -> Value:
    return one_spelling(value) if name in EXPRESSIONS and isinstance(value, str) else value


def schemas_in(models: Catalog) -> set[str]:
    """Return the schemas that models use: those in which a database made of them has something of theirs."""
    return {key.schema for key in models if key.kind in {"table", "type"}}


def is_foreign(key: Key) -> bool:
    """Tell whether something belongs to the history that a deployer keeps: Prisma's, Drizzle's, Alembic's, ours."""
    if key.kind == "schema":
        return key.name in FOREIGN_SCHEMAS
    return key.schema in FOREIGN_SCHEMAS or (key.kind in {"table", *ON_A_RELATION} and key.name in _FOREIGN_TABLES)


def hanging_on(catalog: Catalog, owners: Collection[Key]) -> set[Key]:
    """Return what hangs on tables, views and types of others: their columns, constraints, indexes, triggers."""
    there = {key[1:3] for key in owners if key.kind in {*RELATIONS, "type"}}
    return {key for key in catalog if key.kind in ON_A_RELATION and key[1:3] in there}


def _more(key: Key, one: Properties, ours: Catalog) -> bool:
    """Tell whether migrations may hold something that models, which do not, have no say in."""
    if key.kind == "trigger":  # whoever makes a trigger makes what it executes
        called = _EXECUTES.search(str(one["definition"]))
        return called is None or Key("function", *map(_unquoted, called.groups())) not in ours
    return key.kind in _BY_MIGRATIONS_TOO and not (key.kind == "sequence" and one.get("owned by"))


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def cut(catalog: Catalog, schemas: Collection[str]) -> Catalog:
    """Return what models could speak of in some schemas."""
    relations = {key[1:3] for key in catalog if key.kind in {"table", "type"}}
    found: Catalog = {}
    for key, one in catalog.items():
        named = key.name in schemas if key.kind == "schema" else key.kind in _SPOKEN and key.schema in schemas
        if named and not is_foreign(key) and (key.kind not in ON_A_RELATION or key[1:3] in relations):
            found[key] = {name: _spelt(name, value) for name, value in one.items() if name not in _UNSPOKEN}
    return found
