"""Names of what a run makes for itself when the tables belong to somebody else."""

from __future__ import annotations

from isthmus.mapping.names import object_name

STAGE = "isthmus_stage"
"""Schema of the tables that are loaded."""


def view_name(table: str) -> str:
    """Name the view of all ids of a root table."""
    return object_name((table,), "ids", detail="view of ids")
