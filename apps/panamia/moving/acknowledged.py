"""What people have looked at: each item of a phase with a reason, kept in the target.

Dead letters and conflicts where Isthmus keeps it (`isthmus letters acknowledge`), what else there is in panamia_move.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence

import psycopg

from isthmus.errors import ConfigError
from isthmus.state import acknowledgements

from .phases import Item, Standing

_ADD = """
INSERT INTO panamia_move.acknowledgement (phase, kind, key, shown, reason, acknowledged_by)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (phase, kind, key) WHERE withdrawn_at IS NULL
DO UPDATE SET reason = EXCLUDED.reason, acknowledged_by = EXCLUDED.acknowledged_by"""
_KINDS: tuple[acknowledgements.Kind, ...] = ("letter", "conflict")
_WITHDRAW = "UPDATE panamia_move.acknowledgement SET withdrawn_at = now() WHERE phase = %s AND withdrawn_at IS NULL"


def withdraw_all(connection: psycopg.Connection, standing: Standing) -> None:
    """Let nothing of a phase count as looked at any more; what was said stays written down.

    The change is committed with the connection's transaction.
    """
    connection.execute(_WITHDRAW, (standing.phase.number,))
    for kind in _KINDS if acknowledgements.is_known(connection) else ():
        acknowledgements.withdraw_collections(connection, kind, standing.collections, by=getpass.getuser())


def acknowledge(
    connection: psycopg.Connection, standing: Standing, keys: Sequence[str], reason: str, *, everything: bool = False
) -> list[Item]:
    """Write down that items of a phase were looked at.

    Args:
        connection: To the target; the change is committed with its transaction.
        standing: The phase.
        keys: Which of its items, by their keys or by parts of these that only one open item has.
        reason: Why they may stay as they are.
        everything: All that are open, instead of keys.

    Returns:
        The items.

    Raises:
        ConfigError: The reason is empty, a key is unknown, or several items have that part.
    """
    reason = acknowledgements.checked_reason(reason)
    found = standing.open if everything else [_item(standing, key) for key in keys]
    for kind in _KINDS:
        numbers = [item.number for item in found if item.kind == kind and item.number is not None]
        if numbers and standing.run is not None:
            choice = acknowledgements.Choice(numbers)
            chosen = acknowledgements.choose(connection, kind, [(standing.run, None)], choice)
            acknowledgements.acknowledge(connection, kind, chosen, reason, by=getpass.getuser())
    for item in found:
        if item.number is not None:
            continue
        parts = (standing.phase.number, item.kind, item.key, item.shown[:500], reason, getpass.getuser())
        connection.execute(_ADD, parts)
    return found


def _item(standing: Standing, key: str) -> Item:
    exact = [item for item in standing.items if item.key == key]
    near = exact or [item for item in standing.open if key and key in item.key]
    if len(near) == 1:
        return near[0]
    number = standing.phase.number
    said = "has no open item" if not near else f"has {len(near)} open items"
    raise ConfigError(
        f"Phase {number} {said} with the key {key}.",
        code="unknown-item",
        hint=f"The keys are listed by: python -m apps.panamia.phase items {number}",
    )
