"""CHANGELOG.md: what the entries say, in short, the newest first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from isthmus.govern.changes.entry import Entry, quoted
from isthmus.govern.changes.names import FOLDER, parse_entry_name

_HEAD = (
    "# Changes of MongoDB models\n\n"
    f"<!-- Made from the entries in {FOLDER}/ by `isthmus changes log`; do not edit. -->\n"
)
_SPECIAL = re.compile(r"([\\`\[\]<>*_])")
_LINK = re.compile(rf"\]\({FOLDER}/([^)\s]+)\)")


@dataclass(frozen=True)
class Noted:
    """What the log says of an entry.

    Attributes:
        name: File name of the entry.
        entry: What it says; None where it is no text.
    """

    name: str
    entry: Entry | None


def render_log(entries: Iterable[Noted]) -> str:
    """Return the text of CHANGELOG.md; entries whose names have not the form are left out."""
    named = [(name.day, one) for one in entries if (name := parse_entry_name(one.name)) is not None]
    named.sort(key=lambda one: one[1].name)
    named.sort(key=lambda one: one[0], reverse=True)
    lines = [_HEAD]
    for day, ones in groupby(named, lambda one: one[0]):
        lines += [f"## {day}\n", *(_line(one) for _, one in ones), ""]
    return "\n".join(lines)


def named_in(log: str) -> set[str]:
    """Return the file names of the entries that a log names."""
    return set(_LINK.findall(log))


def _line(one: Noted) -> str:
    entry = one.entry or Entry()
    said = _plain(entry.title or one.name.removesuffix(".md"))
    ticket = _plain(entry.value("Ticket") or "") or "no ticket"
    model = entry.model
    paths = [quoted(path) for path in (model.old, model.path) if path is not None] if model is not None else []
    stated = " → ".join(paths) or _plain(entry.value("Model File") or "") or "no model"
    return f"- [{said}]({FOLDER}/{one.name}), {ticket}: {stated}"


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
