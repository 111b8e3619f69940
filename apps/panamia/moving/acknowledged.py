"""What people have looked at: each item of a phase with a reason, kept in the target.

Dead letters and conflicts where Isthmus keeps it (`isthmus letters acknowledge`), what else there is in panamia_move.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import replace

import psycopg

from isthmus.errors import ConfigError, Problem
from isthmus.state import acknowledgements
from isthmus.work.amounts import plural

from .phases import Item, Standing
from .showing import COMMAND

_ADD = """
INSERT INTO panamia_move.acknowledgement (phase, kind, key, shown, reason, acknowledged_by)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (phase, kind, key) WHERE withdrawn_at IS NULL
DO UPDATE SET reason = EXCLUDED.reason, acknowledged_by = EXCLUDED.acknowledged_by"""
_MOST_NAMED = 10
_WITHDRAW = "UPDATE panamia_move.acknowledgement SET withdrawn_at = now() WHERE phase = %s AND withdrawn_at IS NULL"


def withdraw_all(connection: psycopg.Connection, standing: Standing) -> None:
    """Let nothing of a phase count as looked at any more; what was said stays written down.

    The change is committed with the connection's transaction.
    """
    connection.execute(_WITHDRAW, (standing.phase.number,))
    for kind in acknowledgements.KINDS if acknowledgements.is_known(connection) else ():
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
        The items, as they are now.

    Raises:
        ConfigError: It is not said which, the reason is empty, or a key is that of no item or of several; nothing was
            written.
    """
    if standing.run is None and not standing.items:
        number = standing.phase.number
        hint = f"Run it first: {COMMAND} run {number}"
        raise ConfigError(f"Phase {number} was not run yet.", code="not-run", hint=hint)
    if bool(keys) == everything:
        raise ConfigError(
            "Which ones? Give keys, or --all" + (", not both." if everything else "."),
            code="which-ones",
            hint=_listing(standing),
        )
    reason = acknowledgements.checked_reason(reason)
    found = standing.open if everything else _items(standing, keys)
    for kind in acknowledgements.KINDS:
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
    return [replace(item, acknowledged=reason) for item in found]


def _items(standing: Standing, keys: Sequence[str]) -> list[Item]:
    found: dict[tuple[str, str], Item] = {}
    wrong: list[Problem] = []
    for key in keys:
        near = _near(standing, key)
        if len(near) == 1:
            found[near[0].kind, near[0].key] = near[0]
        else:
            wrong.append(Problem("unknown-item", _which(standing, key, near)))
    if wrong:
        raise ConfigError(
            f"{plural(len(wrong), 'key')} of phase {standing.phase.number} cannot be meant; nothing was acknowledged.",
            code="unknown-item",
            problems=tuple(wrong),
            hint=_listing(standing),
        )
    return list(found.values())


def _near(standing: Standing, key: str) -> list[Item]:
    """Return the items with a key, or the open ones with it as a part."""
    exact = [item for item in standing.items if item.key == key]
    return exact or [item for item in standing.open if key and key in item.key]


def _which(standing: Standing, key: str, near: Sequence[Item]) -> str:
    """Say which items a key may mean that is not the key of one."""
    there = near or standing.open
    some = ", ".join(f"{item.kind} {item.key}" for item in there[:_MOST_NAMED])
    more = f", and {len(there) - _MOST_NAMED:,} more" if len(there) > _MOST_NAMED else ""
    if near:
        return f"{len(near):,} items have {key} in their key: {some}{more}."
    others = f"; there are {some}{more}." if there else ", for none is open."
    return f"No open item has {key or 'an empty text'} in its key{others}"


def _listing(standing: Standing) -> str:
    return f"The keys are listed by: {COMMAND} items {standing.phase.number}"
