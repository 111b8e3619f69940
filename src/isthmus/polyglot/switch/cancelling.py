"""A move that ends before its flip: writers write again where they did, and the fence is where it should be."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import psycopg

from isthmus.errors import IsthmusError
from isthmus.polyglot.switch.fence import Fence
from isthmus.polyglot.switch.ledger import Ledger
from isthmus.polyglot.switch.rows import Move
from isthmus.work.stages import reached

_TRIES = 2
"""A stop cancels what the server does, and may reach it a moment late."""


@dataclass(frozen=True)
class Cancelled:
    """What became of a collection that stays where it is.

    Attributes:
        frozen_seconds: How long nobody could write.
        fence: `lowered`; `raised`: again, for the collection lives in PostgreSQL; `left`: as it was; `none`: there was
            none.
        note: What a person should know besides, as a sentence; empty: nothing.
    """

    frozen_seconds: float
    fence: Literal["lowered", "raised", "left", "none"]
    note: str = ""


def cancel(ledger: Ledger, fence: Fence | None, move: Move | None) -> Cancelled:
    """Let a collection be written again where it lives, and end its move. Committed. Safe to repeat.

    Where it lives in PostgreSQL, nothing of MongoDB's keeps writers waiting: the fence is raised again afterwards, if
    it can be. Where it lives in MongoDB, writers can only write behind the fence's removal.

    Args:
        ledger: Its rows.
        fence: In MongoDB; None where MongoDB is not to be asked.
        move: What is under way; None: nothing.

    Raises:
        SourceError: MongoDB is in trouble; nothing was changed in PostgreSQL.
        PolyglotError: The fence cannot be lowered (`switch-fence`), or stands elsewhere (`switch-other-source`);
            nothing was changed in PostgreSQL.
    """
    home, _, _ = ledger.stands()
    kept = ledger.fence()
    if home == "postgres":
        seconds = ledger.thaw(move)
        reached("switch.cancel-thawed")
        if fence is None or kept is None:
            return Cancelled(seconds, "none" if kept is None else "left")
        why = _raised_again(fence)
        return Cancelled(seconds, "left", f"No fence in MongoDB: {why}") if why else Cancelled(seconds, "raised")
    if fence is None:
        seconds = ledger.thaw(move)
        note = "Its fence stands in MongoDB, which refuses writes until isthmus switch cancel lowers it."
        return Cancelled(seconds, "left", note) if kept is not None else Cancelled(seconds, "none")
    stood = kept is not None or fence.stands()
    if stood:
        fence.lower()
        ledger.forget_fence()
        reached("switch.cancel-lowered")
    return Cancelled(ledger.thaw(move), "lowered" if stood else "none")


def withdraw(ledger: Ledger, fence: Fence, move: Move) -> Cancelled | str:
    """Cancel a move behind whatever ended it.

    Returns:
        What became of the collection; or why it may still be frozen, as a sentence.
    """
    why = ""
    for _ in range(_TRIES):
        try:
            return cancel(ledger, fence if ledger.fence() is not None else None, move)
        except (IsthmusError, psycopg.Error) as fault:
            why = fault.message if isinstance(fault, IsthmusError) else "The connection to PostgreSQL is lost."
            with suppress(IsthmusError, psycopg.Error):
                ledger.connection.rollback()
    return why


def _raised_again(fence: Fence) -> str | None:
    try:
        return fence.raise_()
    except IsthmusError as fault:
        return f"{fault.message} isthmus switch cancel raises it."
