"""Triggers of tables that are there on both sides. Pure."""

from __future__ import annotations

from isthmus.govern.catalog.model import Catalog, Key
from isthmus.govern.models.sql_names import name
from isthmus.govern.models.step import Found, Phase
from isthmus.govern.models.view import definition, of_table, table_name, tables


def triggers(found: Found, before: Catalog, after: Catalog) -> None:
    """Add what makes, changes and drops triggers, those of new tables among them once these are there."""
    for table in tables(after):
        was = of_table(before, "trigger", table) if table in before else {}
        now = of_table(after, "trigger", table)
        for part, one in was.items():
            if part not in now or now[part]["definition"] != one["definition"]:
                found.add(Phase.ROOM, f"DROP TRIGGER {name(part)} ON {table_name(table)}")
        for part, one in now.items():
            there = Key("table", *table[1:3]) in before
            if there and (part not in was or was[part]["definition"] != one["definition"]):
                found.add(Phase.RULES, definition(one))
