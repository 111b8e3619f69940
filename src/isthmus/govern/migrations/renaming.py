"""What a new number changes in files: the lines of headers that name migrations, and Drizzle's journal. Pure.

`isthmus schema renumber` writes by these functions, and the rule on what is committed lets nothing else through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.govern.migrations.header import HEADER_LINES
from isthmus.govern.migrations.journal import JournalFault

_NAMING = re.compile(rb"--[ \t]*(Migration|Dependencies)[ \t]*:", re.IGNORECASE)
_FIELD = re.compile(rb"--[ \t]?[A-Za-z][A-Za-z _-]*:")
_COMMENT = re.compile(rb"--")
_WORD = re.compile(rb"[0-9A-Za-z_]+")


def with_names(text: bytes, names: Mapping[str, str]) -> bytes:
    """Return a migration with other names in the fields `Migration` and `Dependencies` of its header.

    Args:
        text: Its SQL.
        names: Old name → new name.
    """
    renamed = {old.encode(): new.encode() for old, new in names.items()}
    lines = text.split(b"\n")
    naming = False
    for number, line in enumerate(lines[:HEADER_LINES]):
        start = line.removeprefix(b"\xef\xbb\xbf")
        if _NAMING.match(start):
            naming = True
        elif not _COMMENT.match(start) or _FIELD.match(start):
            naming = False
        if naming:
            lines[number] = _WORD.sub(lambda found: renamed.get(found[0], found[0]), line)
    return b"\n".join(lines)


def renumbered_journal(text: str, names: Mapping[str, str], tags: Sequence[str], bases: Sequence[str], now: int) -> str:
    """Return Drizzle's journal with other tags, its entries in order, counted on, and rising in time.

    Entries that a base has are taken from there as they are; one that is missing is added.

    Args:
        text: The journal.
        names: Old tag → new tag.
        tags: Every one that must have an entry, in the order in which they are applied.
        bases: Journals whose entries stay as they are; of an entry in several the last counts.
        now: Milliseconds since 1970, given to entries that would not come later than the one before.

    Raises:
        JournalFault: One of them is no journal.
    """
    try:
        found: dict[str, Any] = json.loads(text)
        fixed = {str(one["tag"]): one for base in bases for one in json.loads(base)["entries"]}
        there: dict[str, dict[str, Any]] = {}
        for one in found["entries"]:
            tag = names.get(one["tag"], one["tag"])
            there.setdefault(tag, {**one, "tag": tag})
        entries = _in_order(there, fixed, tags)
        last = 0
        for idx, one in enumerate(entries):
            if one["tag"] not in fixed:
                one["idx"] = idx
                if one["when"] <= last or one["tag"] in names.values():
                    one["when"] = max(last + 1, now)
            last = max(last, one["when"])
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise JournalFault(str(fault)) from None
    if entries == found["entries"]:
        return text
    end = "\n" if text.endswith("\n") else ""
    return json.dumps({**found, "entries": entries}, indent=2, ensure_ascii=False) + end


def _in_order(
    there: Mapping[str, dict[str, Any]], fixed: Mapping[str, dict[str, Any]], tags: Sequence[str]
) -> list[dict[str, Any]]:
    entries = [fixed.get(tag) or one for tag, one in there.items()]
    for tag in tags:
        if tag not in there:
            like = {"version": "7", "breakpoints": True} | (entries[-1] if entries else {})
            entries.append(fixed.get(tag) or {**like, "idx": 0, "when": 0, "tag": tag})
    place = {tag: number for number, tag in enumerate(tags)}
    # what has no file keeps its place before all: the rule `journal` asks about it
    return sorted(entries, key=lambda one: place.get(one["tag"], -1))
