"""A picture of a database's catalog: every object of its users, found by its names. Pure.

Texts are the server's own, printed with an empty search path, so that every name that is not of `pg_catalog` carries
its schema.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from isthmus.govern.catalog.naming import quoted

Value: TypeAlias = str | bool | int | None
Properties: TypeAlias = dict[str, Value]

ON_A_RELATION = frozenset({"column", "constraint", "index", "trigger", "rule", "policy"})
"""Kinds whose `name` is that of their table (or view, or domain) and whose `part` is their own."""
WITH_ARGUMENTS = frozenset({"function", "procedure", "aggregate"})
"""Kinds whose `part` is the list of their argument types."""
NAMED_IN_FULL = frozenset(
    {
        "operator",
        "cast",
        "operator class",
        "operator family",
        "conversion",
        "language",
        "access method",
        "transform",
    }
)
"""Kinds whose `name` is the server's own way to tell one from another, its schema included."""
RELATIONS = ("table", "foreign table", "view", "materialized view")
"""Kinds that can be read like a table."""


class Key(NamedTuple):
    """What an object is found by.

    Attributes:
        kind: `schema`, `table`, `column`, `constraint`, `index`, `view`, `materialized view`, `foreign table`,
            `sequence`, `function`, `procedure`, `aggregate`, `trigger`, `rule`, `policy`, `type`, `extension`,
            `collation`, `statistics`, `event trigger`, `publication`, `subscription` and rarer ones, in the
            server's own words.
        schema: Its schema; empty where it lies in none.
        name: Its name; of what hangs on a table (a view, a domain), the table's.
        part: Its own name where it hangs on a table, its arguments where it is a function; else empty.
    """

    kind: str
    schema: str
    name: str
    part: str = ""

    @property
    def place(self) -> str:
        """Its full name as SQL writes it: `public.users`, `public.users.email`, `public.f(integer)`."""
        if self.kind in NAMED_IN_FULL:
            return self.name
        whole = f"{quoted(self.schema)}.{quoted(self.name)}" if self.schema else quoted(self.name)
        if self.kind in ON_A_RELATION:
            return f"{whole}.{quoted(self.part)}"
        if self.kind in WITH_ARGUMENTS:
            return f"{whole}({self.part})"
        return f"{whole} {self.part}" if self.part else whole


Catalog: TypeAlias = dict[Key, Properties]


def relation(catalog: Catalog, schema: str, name: str) -> Key | None:
    """Return the key of what can be read by this name; None where there is none such."""
    return next((key for kind in RELATIONS if (key := Key(kind, schema, name)) in catalog), None)


def columns(catalog: Catalog, schema: str, name: str) -> dict[str, Properties]:
    """Return the columns of a table by name, in their order."""
    found = [(key.part, one) for key, one in catalog.items() if key[:3] == ("column", schema, name)]
    return dict(sorted(found, key=lambda one: int(one[1].get("position") or 0)))
