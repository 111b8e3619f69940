"""Alembic's own comparison of models and a database: a second opinion, made without Isthmus's catalog."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import Any, cast

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData
from sqlalchemy.exc import SQLAlchemyError

from isthmus.govern.catalog.model import Key
from isthmus.govern.models.loading import talking_aside
from isthmus.govern.models.making import engine
from isthmus.govern.models.scope import is_foreign

_SAME = frozenset({"table", "column", "index"})
"""Kinds that Alembic calls as a key does; all else is a constraint."""


def second_opinion(
    conninfo: str, metadata: MetaData, schemas: Collection[str], *, models: str, unspoken: Collection[Key] = ()
) -> list[str]:
    """Return what Alembic says differs, a line each; nothing of schemas that the models do not use.

    What it says also of a database that was made of these very models is a mistake of its own, and left out.

    Args:
        conninfo: The database; it is only read.
        metadata: The models.
        schemas: Those that the models use.
        models: A database that was made of the models.
        unspoken: What the models say nothing of.
    """
    found = _compared(conninfo, metadata, schemas, unspoken)
    mistaken = set(_compared(models, metadata, schemas, ())) if found else set[str]()
    return [one for one in found if one not in mistaken]


def _compared(conninfo: str, metadata: MetaData, schemas: Collection[str], unspoken: Collection[Key]) -> list[str]:
    def wanted(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return (name or "public") in schemas
        schema = parents.get("schema_name") or "public"
        table = name if kind == "table" else parents.get("table_name")
        key = Key(kind if kind in _SAME else "constraint", schema, table or "", "" if kind == "table" else name or "")
        return schema in schemas and not is_foreign(key) and key not in unspoken

    found: list[Any] = []
    # it cannot read every default that it is given, such as one with a quote in it
    for defaults in (True, False):
        options = {"include_schemas": True, "include_name": wanted, "compare_type": True}
        options["compare_server_default"] = defaults
        with talking_aside(), warnings.catch_warnings(), engine(conninfo).connect() as bound:
            warnings.simplefilter("ignore")  # of what SQLAlchemy cannot reflect; the catalog has it
            try:
                found = compare_metadata(MigrationContext.configure(bound, opts=options), metadata)
                break
            except SQLAlchemyError as fault:
                if not defaults:
                    return [f"it cannot compare: {' '.join(str(fault).split())[:200]}"]
    return [_line(one) for one in found]


def _line(one: Any) -> str:
    whole: tuple[Any, ...] = tuple(cast("Any", one[0] if isinstance(one, list) else one))
    return " ".join(_word(part) for part in whole if part is not None and not isinstance(part, dict))


def _word(part: Any) -> str:
    """Return a name instead of an object, whose text is another one each time."""
    named, table = getattr(part, "name", None), getattr(part, "table", None)
    if named is None:
        return str(part)
    return f"{table.fullname}.{named}" if table is not None else str(named)
