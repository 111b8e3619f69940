"""Which migration made each table and each column: followed through the catalogs behind each of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from isthmus.govern.catalog.model import RELATIONS, Catalog, Key
from isthmus.govern.schema_json import Column, SchemaJson, Table, table_key


@dataclass(frozen=True)
class Maker:
    """A migration: what the settings call its folder, and its name."""

    schema: str
    name: str


@dataclass
class Made:
    """What is known so far.

    Attributes:
        makers: Table or column → the migration behind which it was first seen under this name.
    """

    makers: dict[Key, Maker] = field(default_factory=dict[Key, Maker])

    def follow(self, catalog: Catalog, maker: Maker) -> None:
        """Take note of what is new behind a migration, and forget what is gone."""
        there = {key for key in catalog if key.kind in RELATIONS or key.kind == "column"}
        self.makers = {key: one for key, one in self.makers.items() if key in there}
        for key in there - self.makers.keys():
            self.makers[key] = maker

    def schema_json(self, schema: str, migrations: Mapping[str, str], catalog: Catalog) -> SchemaJson:
        """Return what `schema.json` of one folder says.

        Args:
            schema: What the settings call it.
            migrations: Name → checksum of all its migrations, in order.
            catalog: Behind all migrations of all folders.
        """
        tables: dict[str, tuple[Key, dict[str, Column]]] = {}
        for key in catalog:
            if key.kind in RELATIONS:
                tables[table_key(key.schema, key.name)] = (key, {})
        for key, one in catalog.items():
            maker = self.makers.get(key)
            if key.kind == "column" and maker is not None and maker.schema == schema:
                columns = tables[table_key(key.schema, key.name)][1]
                columns[key.part] = Column(str(one["type"]), bool(one["nullable"]), maker.name)
        return SchemaJson(
            dict(migrations),
            {
                name: Table(self.makers[key].name, columns)
                for name, (key, columns) in tables.items()
                if columns or self.makers[key].schema == schema
            },
        )
