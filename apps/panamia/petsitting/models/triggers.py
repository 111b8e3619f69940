"""The triggers of the sidecar's tables; what they execute stands in the migrations alone."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.event import listen

_OWN = {
    "listings": {"guard_listing": "BEFORE INSERT OR UPDATE"},
    "bookings": {
        "enter_booking": "BEFORE INSERT",
        "change_booking": "BEFORE UPDATE",
        "keep_booking": "BEFORE DELETE",
        "write_booking_step": "AFTER INSERT OR UPDATE",
    },
    "listing_reviews": {"guard_review": "BEFORE INSERT"},
}
"""Table → trigger, which is called as its function is → when."""


def add_triggers(metadata: sa.MetaData) -> None:
    """Let `create_all` make the triggers, where the functions are."""
    for table in metadata.tables.values():
        made = [f"{name} {when} ON {table.name} FOR EACH ROW" for name, when in _OWN.get(table.name, {}).items()]
        if "updated_at" in table.c:
            made.append(f"set_updated_at BEFORE UPDATE ON {table.name} FOR EACH ROW {_changed(table)}")
        for one in made:
            listen(table, "after_create", sa.DDL(f"CREATE TRIGGER {one} EXECUTE FUNCTION {one.split()[0]}()"))


def _changed(table: sa.Table) -> str:
    """Return when `updated_at` moves. A row with generated columns cannot be compared as a whole."""
    stored = [column.name for column in table.columns if column.computed is None]
    if len(stored) == len(table.columns):
        return "WHEN (OLD.* IS DISTINCT FROM NEW.*)"
    old, new = (", ".join(f"{side}.{name}" for name in stored) for side in ("OLD", "NEW"))
    return f"WHEN (({old}) IS DISTINCT FROM ({new}))"
