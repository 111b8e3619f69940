"""Documents that a delivery cannot bring, gathered until they fill a step."""

from __future__ import annotations

from dataclasses import dataclass, field

from isthmus.state.ledgers import Cause
from isthmus.transfer.finishing.remove import CHUNK


@dataclass
class Refused:
    """Why which documents cannot be delivered: at most `CHUNK` of them; the next attempt finds the others.

    They are known by their root table and their id in the stage.
    """

    _causes: dict[str, dict[str, Cause]] = field(default_factory=dict[str, dict[str, Cause]])

    def add(self, root: str, row_id: str, cause: Cause) -> None:
        """Note one; the first cause of a document counts."""
        if not self.is_full:
            self._causes.setdefault(root, {}).setdefault(row_id, cause)

    def by_table(self) -> dict[str, dict[str, Cause]]:
        """Return root table → id in the stage → cause."""
        return self._causes

    @property
    def is_full(self) -> bool:
        """Whether no more are taken now."""
        return len(self) >= CHUNK

    def __len__(self) -> int:
        return sum(len(causes) for causes in self._causes.values())
