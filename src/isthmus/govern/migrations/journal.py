"""Drizzle's journal: `meta/_journal.json`, by which its runner knows files and their order.

Its runner applies an entry only when `when` is greater than that of the newest applied one, so an entry out of order is
passed over in silence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        place: Its place in the list, from 0.
        idx: The number it gives itself.
        tag: Name of the file, without `.sql`.
        when: Milliseconds since 1970.
        line: Where it stands, from 1.
        breakpoints: Whether Drizzle cuts the file at its marks; None where it does not say.
    """

    place: int
    idx: int
    tag: str
    when: int
    line: int
    breakpoints: bool | None = None


class JournalFault(ValueError):  # noqa: N818  it becomes a finding
    """The journal cannot be read; the text says why."""


def read_journal(text: str) -> list[Entry]:
    """Read a journal's entries, in the order of the list.

    Raises:
        JournalFault: It is no journal.
    """
    at = 0
    made: list[Entry] = []
    try:
        found: Any = json.loads(text)
        for place, one in enumerate(found["entries"]):
            entry = _whole(one["idx"]), _text(one["tag"]), _whole(one["when"])
            at = max(at, text.find(json.dumps(entry[1], ensure_ascii=False), at + 1))
            made.append(Entry(place, *entry, text.count("\n", 0, at) + 1, one.get("breakpoints")))
    except json.JSONDecodeError as fault:
        raise JournalFault(f"it is no JSON (line {fault.lineno}: {fault.msg})") from None
    except (KeyError, TypeError, ValueError) as fault:
        raise JournalFault(f"an entry has not the form of one ({fault})") from None
    return made


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
