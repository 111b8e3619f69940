"""Triggers of tables that are there on both sides. Pure."""

from __future__ import annotations

from isthmus.govern.catalog.model import Catalog
from isthmus.govern.models.sql_names import name
from isthmus.govern.models.step import Found, Phase
from isthmus.govern.models.view import definition, kept_tables, of_table, table_name


def triggers(found: Found, before: Catalog, after: Catalog) -> None:
    """Add what makes, changes and drops triggers, those of new tables among them once these are there."""
    for table in kept_tables(before, after):
        was, now = of_table(before, "trigger", table), of_table(after, "trigger", table)
        for part, one in was.items():
            if part not in now or now[part]["definition"] != one["definition"]:
                found.add(Phase.ROOM, f"DROP TRIGGER {name(part)} ON {table_name(table)}")
        for part, one in now.items():
            if part not in was or was[part]["definition"] != one["definition"]:
                found.add(Phase.RULES, definition(one))
