"""Which paths of documents and which columns of rows refer to which column of a table. Pure.

What the mapping says of them is here; how many there are is filled in by `reference_counts`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from isthmus.mapping import Mapping
from isthmus.mapping.tables import TargetSchema, build_schema
from isthmus.polyglot.audit_goals import goal_of
from isthmus.polyglot.audit_rows import RowSite, row_sites
from isthmus.polyglot.sites import Site, sites

How = Literal["column", "array", "jsonb", "junction", "part", "key"]
"""What holds a reference of rows: a column, the elements of an array, a place inside jsonb, a table of pairs, a child
table (its own root), or a foreign key that the mapping does not name."""

Written = Literal["object_id", "hex", "rewritten", "other"]
"""How a value of a document is written: an ObjectId, its 24 digits, an id of the target, anything else."""

WRITTEN: tuple[Written, ...] = ("object_id", "hex", "rewritten", "other")


@dataclass
class FromDocuments:
    """A path of documents that refers to rows.

    Attributes:
        site: The path.
        leads_to: `table.column` of each thing that it may lead to.
        documents: How many hold a value there; None where nobody counted.
        written: How the values are written; empty where nobody counted.
        by_rewrite: How many values Isthmus itself has replaced there; None where nobody asked the target.
    """

    site: Site
    leads_to: tuple[str, ...]
    documents: int | None = None
    written: Counter[Written] = field(default_factory=Counter[Written])
    by_rewrite: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        counted = self.documents is not None
        return {
            "collection": self.site.collection,
            "path": self.site.shown,
            "kept_in": self.site.column,
            "leads_to": list(self.leads_to),
            "by": list(self.site.by) if self.site.by is not None else None,
            "rule": self.site.rule,
            "documents": self.documents,
            "values": self.written.total() if counted else None,
            "written": {form: self.written[form] for form in WRITTEN} if counted else None,
            "rewritten_by_isthmus": self.by_rewrite,
        }


@dataclass
class FromRows:
    """A column that refers to rows.

    Attributes:
        table: The table that holds it.
        column: Its column, with the path inside jsonb; of a foreign key of several columns all of them.
        leads_to: `table.column`.
        how: What holds it.
        on_delete: What becomes of it when the row is deleted, in the words of SQL, as the foreign key in the target
            says or else the mapping; None: deleting is refused, or nothing is said.
        key: Name of the foreign key in the target; None without one, or where nobody asked.
        asked: Whether the target was asked.
        made: Whether the mapping makes a foreign key for it.
    """

    table: str
    column: str
    leads_to: str
    how: How
    on_delete: str | None = None
    key: str | None = None
    asked: bool = False
    made: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "table": self.table,
            "column": self.column,
            "leads_to": self.leads_to,
            "how": self.how,
            "on_delete": self.on_delete,
            "foreign_key": self.key if self.asked else None,
            "has_foreign_key": self.key is not None if self.asked else None,
        }


@dataclass
class MapTable:
    """A table of the map.

    Attributes:
        collections: The source collections that fill it; none for junctions, and for tables nobody named.
        rows: How many it has; None where nobody asked, or it is not there.
        run: The complete run that carried its collections last; None where none did, or nobody asked.
        there: Whether the target has it; None where nobody asked.
    """

    name: str
    collections: tuple[str, ...] = ()
    rows: int | None = None
    run: int | None = None
    there: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "table": self.name,
            "collections": list(self.collections),
            "rows": self.rows,
            "carried_by_run": self.run,
            "there": self.there,
        }


@dataclass
class ReferenceMap:
    """What refers to what.

    Attributes:
        schema: Schema of the tables.
        documents: In the order of the mapping.
        rows: In the order of the mapping; foreign keys that it does not name at the end.
        tables: By name.
        counts: Collection → its documents; empty where nobody counted.
        source: The source, for people; None where nobody counted.
        target: The target, for people; None where nobody asked.
    """

    schema: str
    documents: list[FromDocuments]
    rows: list[FromRows]
    tables: dict[str, MapTable]
    counts: dict[str, int] = field(default_factory=dict[str, int])
    source: str | None = None
    target: str | None = None
    notes: list[str] = field(default_factory=list[str])

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "source": self.source,
            "target": self.target,
            "schema": self.schema,
            "documents": [one.as_json() for one in self.documents],
            "rows": [one.as_json() for one in self.rows],
            "tables": [one.as_json() for one in self.tables.values()],
            "collections": self.counts,
            "notes": self.notes,
        }


def reference_map(mapping: Mapping) -> ReferenceMap:
    """Return what a checked mapping says of references."""
    schema = build_schema(mapping)
    return ReferenceMap(
        schema=schema.schema,
        documents=[_from_documents(mapping, site) for site in sites(mapping)],
        rows=[_from_rows(mapping, schema, site) for site in row_sites(mapping, schema)],
        tables={name: MapTable(name, table.collections) for name, table in schema.tables.items()},
    )


def _from_documents(mapping: Mapping, site: Site) -> FromDocuments:
    goals = [goal_of(mapping, pointer) for pointer in site.pointers]
    return FromDocuments(site, tuple(dict.fromkeys(f"{goal.table}.{goal.held}" for goal in goals)))


def _from_rows(mapping: Mapping, schema: TargetSchema, site: RowSite) -> FromRows:
    table = schema.tables[site.table]
    name = site.column if site.inside is None else site.ledger
    column = table.column(site.column)
    said = next((key for key in table.foreign_keys if key.columns[0] == site.column), None)
    how: How = "column"
    if site.inside is not None:
        how = "jsonb"
    elif column.type.array:
        how = "array"
    elif table.kind == "junction":
        how = "junction"
    elif column.role == "root_id":
        how = "part"
    made = said is not None and how != "jsonb" and mapping.target.tables == "create"
    on_delete = said.on_delete if said is not None and made else None
    return FromRows(site.table, name, site.target, how, on_delete, made=made)
