"""Indexes of tables that are there on both sides, but for those of constraints. Pure."""

from __future__ import annotations

from isthmus.govern.catalog.model import Catalog, Key
from isthmus.govern.models.sql_names import name, within
from isthmus.govern.models.step import Found, Phase, Style
from isthmus.govern.models.view import definition, is_own_index, kept_tables, of_table, without_name


def indexes(found: Found, before: Catalog, after: Catalog, style: Style) -> None:
    """Add what makes, changes and drops indexes."""
    for table in kept_tables(before, after):
        was, now = _plain(before, table), _plain(after, table)
        becoming = [
            key for key in was if is_own_index(after, key) and before[key]["definition"] == after[key]["definition"]
        ]
        was = [key for key in was if key not in becoming]
        quiet = style.concurrently and may_be_concurrent(after, table)
        for key in [key for key in now if key not in was and key not in becoming]:
            same = [
                old
                for old in was
                if old not in now
                and without_name(before[old], old.part) == without_name(after[key], key.part)
                and before[old]["valid"]
            ]
            if same:
                was.remove(same[0])
                found.add(Phase.ROOM, f"ALTER INDEX {within(table.schema, same[0].part)} RENAME TO {name(key.part)}")
            else:
                _create(found, after, key, quiet=quiet)
        for key in was:
            if key not in now:
                _drop(found, key.schema, key.part, quiet=quiet)
            elif before[key]["definition"] != after[key]["definition"] or not before[key]["valid"]:
                _replace(found, after, key, quiet=quiet)


def may_be_concurrent(catalog: Catalog, table: Key) -> bool:
    """Tell whether a table's indexes can be made and dropped without a lock that lasts."""
    return not catalog[table].get("partition key")


def concurrent_definition(catalog: Catalog, key: Key, called: str) -> str:
    """Return what makes an index under a name without a lock that lasts."""
    start, _, rest = definition(catalog[key]).partition(" INDEX ")
    _, _, rest = (
        rest.partition(" ON ")
        if not key.part.count(" ON ")
        else ("", "", rest.split(" ON ", 1 + key.part.count(" ON "))[-1])
    )
    return f"{start} INDEX CONCURRENTLY {name(called)} ON {rest}"


def _plain(catalog: Catalog, table: Key) -> list[Key]:
    keys = (Key("index", *table[1:3], part) for part in sorted(of_table(catalog, "index", table)))
    return [key for key in keys if not is_own_index(catalog, key)]


def _create(found: Found, after: Catalog, key: Key, *, quiet: bool) -> None:
    if quiet:
        found.add(Phase.ONLINE, concurrent_definition(after, key, key.part))
    else:
        found.add(Phase.RULES, definition(after[key]))


def _drop(found: Found, schema: str, index: str, *, quiet: bool) -> None:
    phase = Phase.ONLINE if quiet else Phase.ROOM
    found.add(phase, f"DROP INDEX {'CONCURRENTLY ' if quiet else ''}{within(schema, index)}")


def _replace(found: Found, after: Catalog, key: Key, *, quiet: bool) -> None:
    if not quiet:
        _drop(found, key.schema, key.part, quiet=False)
        found.add(Phase.RULES, definition(after[key]))
        return
    called = f"{key.part[:58]}_new"
    found.add(Phase.ONLINE, concurrent_definition(after, key, called))
    _drop(found, key.schema, key.part, quiet=True)
    found.add(Phase.ONLINE, f"ALTER INDEX {within(key.schema, called)} RENAME TO {name(key.part)}")
