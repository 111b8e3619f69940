"""Names of entries: `2026-01-31_user_add_email.md`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

from isthmus.errors import ConfigError
from isthmus.govern.writing.draft import words_of

FOLDER, LOG, README = "changes", "CHANGELOG.md", "README.md"
"""Below the folder of the settings: where entries are, and what stands beside them."""
KEPT = ".gitkeep"
"""What keeps a folder that is empty; no entry."""
FORM = "YYYY-MM-DD_model_description.md"
_NAME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})_([a-z0-9]+(?:_[a-z0-9]+)+)\.md")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOST_BYTES = 200
"""As of migrations: longer names are no file names everywhere."""
_OF_THEIR_FOLDER = frozenset({"", "index", "__init__", "mod", "model", "models", "schema"})
"""Files that are called after what they are in."""


@dataclass(frozen=True)
class EntryName:
    """The name of an entry, taken apart.

    Attributes:
        day: Its digits, as they stand there.
        words: The rest, without `.md`.
    """

    day: str
    words: str


def parse_entry_name(name: str) -> EntryName | None:
    """Take the name of an entry apart; None where it has not their form."""
    found = _NAME.fullmatch(name)
    return EntryName(found[1], found[2]) if found and len(name.encode()) <= _MOST_BYTES else None


def entry_name(day: date, model: str, words: str) -> str:
    """Return the name of an entry.

    Args:
        day: Its date.
        model: Path of the model.
        words: What changed, as `words_of` gives it.

    Raises:
        ConfigError: It would be too long (code `bad-name`).
    """
    name = f"{day.isoformat()}_{model_words(model)}_{words}.md"
    if parse_entry_name(name) is None:
        raise ConfigError(f"{name} is too long for a name.", code="bad-name", hint="Use fewer words.")
    return name


def model_words(path: str) -> str:
    """Return what the name of an entry calls a model: `lib/model/MentorSession.ts` is `mentorsession`.

    A file that is called after its folder (`user/index.ts`) has that one's name; one whose name has no letters of ASCII
    is `model`.
    """
    file = PurePosixPath(path)
    stem = file.name.partition(".")[0]
    try:
        return words_of(file.parent.name if stem.lower() in _OF_THEIR_FOLDER else stem)
    except ConfigError:
        return "model"


def real_day(text: str) -> date | None:
    """Return the day that a text `YYYY-MM-DD` names; None where it has not that form, or there is none such."""
    try:
        return date.fromisoformat(text) if _ISO.fullmatch(text) else None
    except ValueError:
        return None
