"""What people have looked at and let be (`isthmus.acknowledgement`): dead letters and conflicts, each with a reason.

A word is about the document, the row and the cause, never about the number of a run or a letter: it holds of the same
again in a later copy, and no longer where one of them changed. A reference that `isthmus refs rewrite` has replaced is
no such change: the document counts as it was before. Only a joined document of which that reference itself differs from
the row is told otherwise by the next copy, so its conflict is open again.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg

from isthmus import __version__
from isthmus._rust import document_digest, source_id
from isthmus.errors import ConfigError, TargetError
from isthmus.state.as_before import as_before
from isthmus.state.ledgers import printable
from isthmus.state.rewrites import knows_rewrites
from isthmus.state.rewritten_since import ever_replaced
from isthmus.state.statements import statement
from isthmus.state.up_to_date import bring_up_to_date

Kind = Literal["letter", "conflict"]
Scope = Sequence[tuple[int, str | None]]
"""Runs, each with the one collection that counts of it, or None for all."""

KINDS: tuple[Kind, ...] = ("letter", "conflict")
NOUNS: dict[Kind, str] = {"letter": "dead letter", "conflict": "conflict"}
_STATEMENTS: dict[Kind, str] = {"letter": "letters", "conflict": "conflicts"}
_MOST_NAMED = 10


@dataclass(frozen=True)
class Word:
    """What somebody said.

    Attributes:
        reason: Why it may stay as it is.
        by: How they called themselves; None where they did not.
        role: The role that they were connected as.
        at: When.
    """

    reason: str
    by: str | None
    role: str
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"reason": self.reason, "by": self.by, "role": self.role, "at": self.at.isoformat()}


@dataclass(frozen=True)
class Item:
    """A dead letter or a conflict, as far as somebody may have looked at it.

    Attributes:
        number: Its number in the target.
        run: The run that left it.
        collection: Of its document.
        place: Of a letter its code, of a conflict the table.
        how: Of a letter its stage, of a conflict what was done.
        about: Digest of what it is about; two that say the same of the same document have one.
        word: What holds of it; None while it is open.
    """

    number: int
    run: int
    collection: str
    place: str
    how: str
    about: bytes
    word: Word | None


@dataclass(frozen=True)
class Choice:
    """Which items are meant; those that all of it is true of.

    Attributes:
        numbers: These; None for any.
        collection: Only of this collection.
        place: Only with this code, or of this table.
    """

    numbers: Sequence[int] | None = None
    collection: str | None = None
    place: str | None = None


@dataclass(frozen=True)
class Said:
    """What a word changed.

    Attributes:
        newly: Items that were open and are not any more.
        otherwise: Items that somebody had acknowledged with other words, which are replaced.
        already: Items that it had been said of before in the same words.
    """

    newly: int
    otherwise: int
    already: int


def is_known(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether the state is of a version that keeps what people have looked at."""
    row = connection.execute(statement("acknowledgement", "exists")).fetchone()
    return bool(row and row[0])


def last_copies(connection: psycopg.Connection[Any], schema: str) -> list[tuple[int, str | None]]:
    """Return the last run of each collection that was carried into a schema, with the collection."""
    rows = connection.execute(statement("acknowledgement", "last_copies"), {"schema": schema}).fetchall()
    return [(int(run), str(collection)) for run, collection in rows]


def read_items(
    connection: psycopg.Connection[Any],
    kind: Kind,
    scope: Scope,
    choice: Choice | None = None,
    *,
    open_too: bool = True,
) -> list[Item]:
    """Return the items of some runs, by number.

    Args:
        connection: The target; its state is of this version, or nothing is found.
        kind: Which.
        scope: Of which runs and collections.
        choice: Only these; None for all.
        open_too: Also those that nobody acknowledged.
    """
    if not scope or not is_known(connection):
        return []
    wanted = choice or Choice()
    which = {"runs": [run for run, _ in scope], "collections": [collection for _, collection in scope]}
    before = _before_rewrites(connection, kind, which)
    rows = connection.execute(
        statement("acknowledgement", _STATEMENTS[kind]),
        {
            **which,
            "rewritten": list(before),
            "digests": list(before.values()),
            "numbers": list(wanted.numbers) if wanted.numbers is not None else None,
            "collection": wanted.collection,
            "place": wanted.place,
            "open": open_too,
        },
    )
    return [
        Item(number, run, collection, place, how, bytes(about), None if reason is None else Word(reason, by, role, at))
        for number, run, collection, place, how, about, reason, by, role, at in rows
    ]


def _before_rewrites(connection: psycopg.Connection[Any], kind: Kind, which: dict[str, Any]) -> dict[int, bytes]:
    """Return number → digest of the document as it was before rewrites, where they have changed it.

    As the view of that kind digests it; of conflicts only joined ones are about a whole document.
    """
    if not knows_rewrites(connection):
        return {}
    name, digest = ("rewritten_letters", document_digest) if kind == "letter" else ("rewritten_conflicts", _sha256)
    found: dict[int, bytes] = {}
    for number, collection, document in connection.execute(statement("acknowledgement", name), which).fetchall():
        raw = bytes(document)
        key = source_id(raw)
        before = as_before(raw, ever_replaced(connection, collection, key)) if key is not None else None
        if before is not None and before != raw:
            found[number] = digest(before)
    return found


def _sha256(document: bytes) -> bytes:
    return hashlib.sha256(document).digest()


def acknowledged(
    connection: psycopg.Connection[Any], kind: Kind, scope: Scope, choice: Choice | None = None
) -> dict[int, Word]:
    """Return number → word of the items of some runs that somebody acknowledged, as `read_items` finds them."""
    found = read_items(connection, kind, scope, choice, open_too=False)
    return {item.number: item.word for item in found if item.word is not None}


def choose(connection: psycopg.Connection[Any], kind: Kind, scope: Scope, choice: Choice) -> list[Item]:
    """Return the items that are meant.

    Raises:
        ConfigError: A number is none of them (code `no-letter`, `no-conflict`); so is a choice that none is true of.
    """
    found = read_items(connection, kind, scope, choice)
    noun, missing = NOUNS[kind], sorted(set(choice.numbers or ()) - {item.number for item in found})
    if missing:
        named = ", ".join(map(str, missing[:_MOST_NAMED])) + (" …" if len(missing) > _MOST_NAMED else "")
        raise _unknown(
            kind,
            f"The last copies hold no {noun} with the {'number' if len(missing) == 1 else 'numbers'} {named}; nothing"
            " was written.",
            f"isthmus {kind}s list shows the numbers.",
        )
    if not found and (choice.collection, choice.place) != (None, None):
        there = read_items(connection, kind, scope)
        message = f"No {noun} of the last copies is of that kind; nothing was written."
        raise _unknown(kind, message, _kinds(kind, there) if there else f"There is no {noun} at all.")
    return found


def _unknown(kind: Kind, message: str, hint: str) -> ConfigError:
    if kind == "letter":
        return ConfigError(message, code="no-letter", hint=hint)
    return ConfigError(message, code="no-conflict", hint=hint)


def _kinds(kind: Kind, there: Iterable[Item]) -> str:
    places = "; ".join(sorted({f"{item.collection}: {item.place}" for item in there})[:_MOST_NAMED])
    return f"There are, by collection and {'code' if kind == 'letter' else 'table'}: {places}."


def acknowledge(
    connection: psycopg.Connection[Any], kind: Kind, items: Sequence[Item], reason: str, *, by: str | None = None
) -> Said:
    """Write down that somebody has looked at some items, in the caller's transaction; safe to repeat.

    What was said otherwise of one of them before stays written down, and holds no more.

    Args:
        connection: To the target, whose state is of this version (`prepare`).
        kind: What they are.
        items: The items, as `choose` gives them.
        reason: Why they may stay as they are.
        by: How the person calls themselves.

    Raises:
        ConfigError: The reason is empty (code `no-reason`).
        TargetError: The role may not write to the state (code `no-right`).
    """
    said, who = checked_reason(reason), _name(by)
    abouts = {item.about: item for item in items}
    given = {
        "kind": kind,
        "abouts": list(abouts),
        "collections": [item.collection for item in abouts.values()],
        "places": [item.place for item in abouts.values()],
        "reason": said,
        "by": who,
        "version": __version__,
    }
    _write(connection, "withdraw", given)
    _write(connection, "acknowledge", given)
    same = sum(item.word is not None and (item.word.reason, item.word.by) == (said, who) for item in items)
    newly = sum(item.word is None for item in items)
    return Said(newly, len(items) - newly - same, same)


def withdraw(connection: psycopg.Connection[Any], items: Sequence[Item], *, by: str | None = None) -> int:
    """Take back what was said of some items, in the caller's transaction; return of how many anything was said.

    It stays written down, and who took it back.

    Raises:
        TargetError: The role may not write to the state (code `no-right`).
    """
    given = {"abouts": [item.about for item in items], "reason": None, "by": _name(by)}
    _write(connection, "withdraw", given)
    return sum(item.word is not None for item in items)


def withdraw_collections(
    connection: psycopg.Connection[Any], kind: Kind, collections: Collection[str], *, by: str | None = None
) -> int:
    """Take back whatever was said about some collections, of items that are there and of others; return how often.

    In the caller's transaction.
    """
    given = {"kind": kind, "collections": list(collections), "by": _name(by)}
    return _write(connection, "withdraw_collections", given)


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Bring a state of an older version up to date, so that words can be written down. In autocommit mode.

    Raises:
        TargetError: Another isthmus writes to the target (code `lease-held`), the role may not (`no-right`), or the
            state cannot be brought up to date.
    """
    if not is_known(connection):
        with _refusals():
            bring_up_to_date(connection)


def checked_reason(reason: str) -> str:
    """Return a reason as it is kept.

    Raises:
        ConfigError: It is empty (code `no-reason`).
    """
    kept = printable(reason).strip()
    if not kept:
        raise ConfigError(
            "An acknowledgement needs a reason.", code="no-reason", hint="Say why it may stay as it is: --reason TEXT."
        )
    return kept


def _name(by: str | None) -> str | None:
    return (printable(by).strip() or None) if by is not None else None


def _write(connection: psycopg.Connection[Any], name: str, given: dict[str, Any]) -> int:
    with _refusals():
        return connection.execute(statement("acknowledgement", name), given).rowcount


@contextlib.contextmanager
def _refusals() -> Generator[None]:
    """Say what keeps a role from writing words down."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as fault:
        raise TargetError(
            "The role may not write down what was looked at.",
            code="no-right",
            hint="GRANT SELECT, INSERT, UPDATE ON isthmus.acknowledgement TO the role, or run as the role that copied.",
        ) from fault
    except psycopg.errors.ReadOnlySqlTransaction as fault:
        raise TargetError(
            "The target takes no writes.", code="target-refused", hint="Name the primary server, not a standby."
        ) from fault
