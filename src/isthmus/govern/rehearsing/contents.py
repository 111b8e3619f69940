"""What the tables of a database hold, as counts and digests: enough to say what was lost, and no values.

A digest is the sum of hashes of the values' texts, so the order of rows does not matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import psycopg
from psycopg import sql

from isthmus.govern.catalog.model import Catalog, Key, Properties

_AT_ONCE = 40
"""Tables that one statement asks for: the server plans it as a whole."""


@dataclass(frozen=True)
class Values:
    """A column's values.

    Attributes:
        count: How many are not null.
        digest: Of them; None where there are none.
    """

    count: int
    digest: Decimal | None


@dataclass(frozen=True)
class Rows:
    """What one table holds.

    Attributes:
        count: Rows.
        columns: Column → its values; those that are computed when they are read hold none.
        digest: Of whole rows; None where there are none.
    """

    count: int
    columns: Mapping[str, Values]
    digest: Decimal | None


@dataclass(frozen=True)
class Contents:
    """What a database holds.

    Attributes:
        tables: Table → its rows, those of its partitions and heirs not counted.
        sequences: Sequence → the last number that it gave; None where it gave none.
        descending: Those that count downwards.
    """

    tables: Mapping[Key, Rows]
    sequences: Mapping[Key, int | None]
    descending: frozenset[Key] = frozenset()

    @property
    def filled(self) -> list[Key]:
        """Tables that hold rows."""
        return [key for key, rows in self.tables.items() if rows.count]


def read_contents(connection: psycopg.Connection, catalog: Catalog) -> Contents:
    """Return what a database holds now.

    Args:
        connection: Of a role that row security does not stop.
        catalog: Of the same moment.
    """
    columns: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, one in catalog.items():
        if key.kind == "column" and not _is_computed(one):
            columns[key.schema, key.name].append(key.part)
    tables = [key for key, one in catalog.items() if key.kind == "table" and one.get("partition key") is None]
    found: dict[Key, Rows] = {}
    for begin in range(0, len(tables), _AT_ONCE):
        asked = tables[begin : begin + _AT_ONCE]
        parts = [
            b"SELECT %d, %s" % (number, _question(key, tuple(sorted(columns[key.schema, key.name]))))
            for number, key in enumerate(asked)
        ]
        for number, count, counts, digests, digest in connection.execute(b" UNION ALL ".join(parts)):
            key: Key = asked[int(number)]
            names = sorted(columns[key.schema, key.name])
            found[key] = Rows(count, dict(zip(names, map(Values, counts, digests), strict=True)), digest)
    sequences: dict[Key, int | None] = {}
    for schema, name, last in connection.execute("SELECT schemaname, sequencename, last_value FROM pg_sequences"):
        if (key := Key("sequence", schema, name)) in catalog:
            sequences[key] = last
    descending = frozenset(key for key in sequences if int(catalog[key]["increment"] or 0) < 0)
    return Contents(found, sequences, descending)


def _is_computed(column: Properties) -> bool:
    """Tell whether a column is computed when it is read: it holds nothing, and reading it may fail."""
    return str(column.get("generated") or "").endswith(" virtual")


@cache
def _question(key: Key, columns: tuple[str, ...]) -> bytes:
    names = [sql.Identifier(one) for one in columns]
    hashed = [_hashed(sql.SQL("{}::text").format(one)) for one in names]
    whole = _hashed(sql.SQL("ROW({})::text").format(sql.SQL(", ").join(names)))
    asked = sql.SQL("count(*), ARRAY[{}]::bigint[], ARRAY[{}]::numeric[], {} FROM ONLY {}").format(
        sql.SQL(", ").join(sql.SQL("count({})").format(one) for one in names),
        sql.SQL(", ").join(hashed),
        whole,
        sql.Identifier(key.schema, key.name),
    )
    return asked.as_bytes(None)


def _hashed(text: sql.Composed) -> sql.Composed:
    return sql.SQL('sum(hashtextextended(({}) COLLATE "C", 0)::numeric)').format(text)
