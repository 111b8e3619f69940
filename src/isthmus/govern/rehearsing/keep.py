"""Write what a rehearsal learnt into the folders of migrations, or tell whether it stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from isthmus.govern.migrations.names import SCHEMA_FILE
from isthmus.govern.rehearsing.rehearse import Part


@dataclass(frozen=True)
class Kept:
    """One `schema.json`.

    Attributes:
        title: What the settings call its folder.
        file: Where it stands.
        state: `fresh`: it said so before; `written`: it says so now; `stale`: it says something else, or is not there.
    """

    title: str
    file: str
    state: Literal["fresh", "written", "stale"]


def keep(parts: Sequence[Part], texts: Mapping[str, str], *, write: bool) -> list[Kept]:
    """Compare each folder's `schema.json` with what it should be, and write it where that is asked for.

    Args:
        parts: The folders.
        texts: What the settings call a folder → the text.
        write: Whether to write those that differ.
    """
    found: list[Kept] = []
    for part in parts:
        title = part.settings.title
        file = part.folder / SCHEMA_FILE
        try:
            fresh = file.read_text(encoding="utf-8") == texts[title]  # however git has checked out its ends of lines
        except (FileNotFoundError, UnicodeDecodeError):
            fresh = False
        if not fresh and write:
            file.write_text(texts[title], encoding="utf-8", newline="\n")
        found.append(Kept(title, str(file), "fresh" if fresh else "written" if write else "stale"))
    return found
