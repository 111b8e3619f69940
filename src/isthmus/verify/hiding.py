"""What a difference may show: nothing of a sensitive column, and of long values their beginning. Pure."""

from __future__ import annotations

from isthmus.mapping.tables import TargetSchema
from isthmus.work.hidden import HIDDEN

_MOST = 200


class Hiding:
    """Knows the sensitive columns of a target.

    Args:
        schema: Its tables.
    """

    def __init__(self, schema: TargetSchema) -> None:
        self._sensitive = {
            (table.name, column.name)
            for table in schema.tables.values()
            for column in table.columns
            if column.sensitive
        }
        self._tables = {table for table, _ in self._sensitive}
        self._keys = {
            table.name
            for table in schema.tables.values()
            if any(
                column.sensitive
                for column in table.final.columns
                if not table.primary_key or column.name in table.primary_key
            )
        }

    def shown(self, table: str, column: str, value: object) -> str | None:
        """Return a value as a report shows it; None for nothing."""
        if value is None:
            return None
        if (table, column) in self._sensitive or (column == "(row)" and table in self._tables):
            return HIDDEN
        text = str(value)
        return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"

    def row(self, table: str, row_id: str) -> str:
        """Return the key of a row as a report shows it; of a table without key it is all that the row holds."""
        return HIDDEN if table in self._keys else row_id
