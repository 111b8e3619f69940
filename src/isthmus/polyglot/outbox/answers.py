"""What a person says of events that MongoDB refused: try again, or leave out for good, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from isthmus.errors import ConfigError
from isthmus.polyglot.outbox.key import DocumentKey
from isthmus.state.statements import statements


@dataclass(frozen=True)
class Choice:
    """Which of the refused events are meant; all of them where nothing is said.

    Attributes:
        numbers: Their numbers.
        collection: Those of a collection.
        keys: Those of a document, which a person may have named in several meanings.
    """

    numbers: tuple[int, ...] | None = None
    collection: str | None = None
    keys: tuple[DocumentKey, ...] | None = None


def retry(connection: psycopg.Connection[Any], choice: Choice) -> list[int]:
    """Let events be tried again at once, parked or not, as if for the first time; wake the relays.

    Args:
        connection: In autocommit mode, to a database with an outbox.
        choice: Which.

    Returns:
        Their numbers.

    Raises:
        ConfigError: A number is of none that was refused and is open (code `which-ones`); nothing was written.
    """
    with connection.transaction():
        numbers = [number for number, _ in _chosen(connection, choice)]
        connection.execute(_statement("retry"), {"ids": numbers})
        connection.execute(_statement("wake"))
    return numbers


def skip(connection: psycopg.Connection[Any], numbers: Sequence[int], reason: str, *, by: str | None) -> list[int]:
    """Leave parked events out for good; what waits behind them goes on, and the relays are woken.

    Args:
        connection: In autocommit mode, to a database with an outbox.
        numbers: Which.
        reason: Why; kept with the event.
        by: Who says so; None: the role alone is kept.

    Returns:
        Their numbers.

    Raises:
        ConfigError: A number is of none that is parked (code `which-ones`), or there is no reason (`no-reason`);
            nothing was written.
    """
    text = reason.strip()
    if not text or "\0" in text:
        raise ConfigError("A reason is needed.", code="no-reason", hint="Say with --reason why it may be left out.")
    with connection.transaction():
        found = _chosen(connection, Choice(tuple(numbers)))
        waiting = [number for number, parked in found if not parked]
        if waiting:
            raise ConfigError(
                f"Event {waiting[0]} is not parked: it is tried again by itself.",
                code="which-ones",
                hint="isthmus outbox status lists which are parked.",
            )
        connection.execute(_statement("skip"), {"ids": [number for number, _ in found], "reason": text, "by": by})
        connection.execute(_statement("wake"))
    return [number for number, _ in found]


def _chosen(connection: psycopg.Connection[Any], choice: Choice) -> list[tuple[int, bool]]:
    """Return the numbers of the events that are meant, and whether each is parked; locks them.

    Raises:
        ConfigError: A number is of none of them (code `which-ones`).
    """
    values = {
        "numbers": list(choice.numbers) if choice.numbers is not None else None,
        "collection": choice.collection,
        "digests": [one.digest for one in choice.keys] if choice.keys is not None else None,
    }
    found = [(int(row[0]), bool(row[2])) for row in connection.execute(_statement("refused"), values).fetchall()]
    strange = sorted(set(choice.numbers or ()) - {number for number, _ in found})
    if strange:
        raise ConfigError(
            f"No event that was refused and is open has the number {strange[0]}.",
            code="which-ones",
            hint="isthmus outbox status lists them with their numbers.",
        )
    return found


def _statement(name: str) -> bytes:
    return statements("status", "isthmus.polyglot.outbox")[name]
