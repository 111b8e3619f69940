"""The next migration of a folder: its name, its header, its entry in Drizzle's journal. Pure."""

from __future__ import annotations

import json
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from isthmus.errors import ConfigError
from isthmus.govern.migrations.header import read_header
from isthmus.govern.migrations.names import Name, instant, parse_name
from isthmus.govern.settings import Layout
from isthmus.govern.sql.statements import SqlFault, tokens

WHY, TICKET = "<what it is for>", "<ticket>"
"""What stands where a person must write; `schema check` refuses both."""
_MOST_FLAT = 9999
_MOST_BACK = 12
"""Lines of a rollback that still stand well in a header."""
_WIDE = 112


@dataclass(frozen=True)
class Draft:
    """What a new migration begins with.

    Attributes:
        name: Its name.
        text: Its SQL, header and body.
        rollback: The text of its rollback's own file; None where it needs none.
    """

    name: str
    text: str
    rollback: str | None = None


def words_of(said: str) -> str:
    """Return what a person calls a migration as the words of its name: `Add Users' e-mail` is `add_users_e_mail`.

    Raises:
        ConfigError: Nothing of it can stand in a name (code `bad-name`).
    """
    plain = unicodedata.normalize("NFKD", said.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    words = "_".join(re.findall(r"[a-z0-9]+", plain.replace("'", "")))
    if not words or not words[0].isalpha():
        raise ConfigError(
            f"No name can be made of {said!r}.", code="bad-name", hint="Begin with a letter: add_users_email."
        )
    return words


def next_name(words: str, known: Iterable[Name], layout: Layout, now: datetime) -> str:
    """Return the name of a migration that comes after all that are known.

    Args:
        words: Its words.
        known: Those of the folder, and of wherever the branch will be merged into.
        layout: Of the folder.
        now: UTC, without zone.

    Raises:
        ConfigError: There is no number left, or the name is too long (code `bad-name`).
    """
    last = max(known, key=lambda one: one.order, default=None)
    if layout == "folders":
        at = now
        if last is not None and (newest := instant(last.number)) is not None and newest >= now:
            at = newest + timedelta(seconds=1)
        name = f"{at:%Y%m%d%H%M%S}_{words}"
    else:
        number = 0 if last is None else int(last.number) + 1
        if number > _MOST_FLAT:
            raise ConfigError(
                f"{_MOST_FLAT} is the last number of four digits.", code="bad-name", hint="Begin another folder."
            )
        name = f"{number:04}_{words}"
    if parse_name(name, layout) is None:
        raise ConfigError(f"{name} is too long for a name.", code="bad-name", hint="Use fewer words.")
    return name


def draft(
    name: str,
    *,
    purpose: str | None = None,
    ticket: str | None = None,
    statements: Sequence[str] = (),
    rollback: Sequence[str] = (),
    reversible: Literal["Yes", "Partial", "No"] = "No",
    remarks: Sequence[str] = (),
    transaction: bool = True,
) -> Draft:
    """Return a migration with its header filled in.

    Args:
        name: Its name.
        purpose: Why it is there, one line; None for a person to write.
        ticket: Where that was decided, one line.
        statements: Its body, without semicolons, each with its comments above it; none for a person to write.
        rollback: What undoes it; a long one, or one that a header cannot hold, such as a text of several lines, goes
            into a file of its own.
        reversible: How far that brings back what was.
        remarks: Sentences that a person has to know, written below the header.
        transaction: Whether it is one.
    """
    lines = [f"-- Migration: {name}", f"-- Purpose: {purpose or WHY}", f"-- Ticket: {ticket or TICKET}"]
    lines.append(f"-- Reversible: {reversible}")
    back = [line for one in rollback for line in _ended(one).split("\n")]
    inside = ["-- Rollback:", *(f"--   {line}" for line in back)]
    apart = len(back) > _MOST_BACK or not _holds(inside, back)
    if back and not apart:
        lines += inside
    if not transaction:
        lines.append("-- Transaction: none")
    for one in remarks:
        lines += [
            "--",
            *(f"-- {line}" for line in textwrap.wrap(one, _WIDE, break_long_words=False, break_on_hyphens=False)),
        ]
    body = "\n\n".join(map(_ended, statements)) if statements else ""
    text = "\n".join([*lines, "", body, ""])
    return Draft(name, text, "\n".join([*back, ""]) if back and apart else None)


def _holds(inside: Sequence[str], back: Sequence[str]) -> bool:
    """Tell whether a header gives a rollback back as it is: it takes away the blanks that lines begin with."""
    read = read_header("\n".join(inside)).value("Rollback") or ""
    try:
        return tokens(read) == tokens("\n".join(back))
    except SqlFault:
        return False


def _ended(statement: str) -> str:
    return f"{statement.strip().rstrip(';')};"


def ticket_of(branch: str, pattern: str) -> str | None:
    """Return the ticket that the name of a branch holds: `feature/PANA-12-users` holds PANA-12."""
    found = re.search(pattern, branch, re.IGNORECASE)
    said = None if found is None else found[0]
    for one in (said, said and said.upper()):
        if one and re.fullmatch(pattern, one):
            return one
    return None


def with_entry(journal: str, tag: str, now: datetime) -> str:
    """Return Drizzle's journal with an entry more, in the form that Drizzle writes.

    Raises:
        ConfigError: It is no journal (code `bad-journal`).
    """
    try:
        found: dict[str, Any] = json.loads(journal)
        entries: list[dict[str, Any]] = found["entries"]
        if not isinstance(entries, list):  # pyright: ignore[reportUnnecessaryIsInstance]  a file may hold anything
            raise TypeError("its entries are no list")
        last = entries[-1] if entries else {"when": 0, "version": found.get("version", "7")}
        milliseconds = int((now - datetime(1970, 1, 1)) / timedelta(milliseconds=1))  # noqa: DTZ001  UTC without zone
        entries.append(
            {
                "idx": len(entries),
                "version": last["version"],
                "when": max(milliseconds, int(last["when"]) + 1),
                "tag": tag,
                "breakpoints": bool(last.get("breakpoints", True)),
            }
        )
    except (ValueError, KeyError, TypeError) as fault:
        raise ConfigError(
            f"The journal cannot be added to: {fault}.", code="bad-journal", hint="Put it back from HEAD."
        ) from None
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
