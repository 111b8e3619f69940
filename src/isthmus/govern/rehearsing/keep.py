"""Write what a rehearsal learnt into the folders of migrations, or tell whether it stands there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from isthmus.errors import ConfigError, Where
from isthmus.govern.migrations.names import SCHEMA_FILE
from isthmus.govern.rehearsing.rehearse import Part
from isthmus.govern.rehearsing.stale import staleness


@dataclass(frozen=True)
class Kept:
    """One `schema.json`.

    Attributes:
        title: What the settings call its folder.
        file: Where it stands.
        state: `fresh`: it said so before; `written`: it says so now; `stale`: it says something else, or is not there.
        why: In what it is stale, as sentences.
    """

    title: str
    file: str
    state: Literal["fresh", "written", "stale"]
    why: tuple[str, ...] = ()


def keep(parts: Sequence[Part], texts: Mapping[str, str], *, write: bool) -> list[Kept]:
    """Compare each folder's `schema.json` with what it should be, and write it where that is asked for.

    A file that is written is there as a whole or as it was. A link in its place is replaced, not followed.

    Args:
        parts: The folders.
        texts: What the settings call a folder → the text.
        write: Whether to write those that differ.

    Raises:
        ConfigError: One cannot be written (code `schema-json-not-written`).
    """
    found: list[Kept] = []
    for part in parts:
        title = part.settings.title
        file = part.folder / SCHEMA_FILE
        why = _stale(file, texts[title])
        if why and write:
            _replace(file, texts[title])
        found.append(Kept(title, str(file), "fresh" if not why else "written" if write else "stale", why))
    return found


def _stale(file: Path, wanted: str) -> tuple[str, ...]:
    if file.is_symlink():
        return ("It is a link.",)
    try:
        text = file.read_text(encoding="utf-8")  # however git has checked out its ends of lines
    except FileNotFoundError:
        return ("It is not there.",)
    except UnicodeDecodeError:
        return ("It is not UTF-8.",)
    except OSError as fault:
        return (f"It cannot be read: {fault.strerror}.",)
    if text == wanted:
        return ()
    return tuple(staleness(text, wanted)) or ("It says the same in another form.",)


def _replace(file: Path, text: str) -> None:
    made: Path | None = None
    try:
        number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        made = Path(name)
        with os.fdopen(number, "w", encoding="utf-8", newline="\n") as stream:
            os.fchmod(number, _mode(file))
            stream.write(text)
        made.replace(file)
    except OSError as fault:
        raise ConfigError(
            f"It cannot be written: {fault.strerror}.",
            code="schema-json-not-written",
            where=Where(file=str(file)),
            hint="Mend that, and rehearse again. Until then, the file is what it was.",
        ) from None
    finally:
        if made is not None:
            with suppress(OSError):  # it is gone where it took the file's place
                made.unlink()


def _mode(file: Path) -> int:
    """Return the rights of a file that is there, else those that a new one gets here."""
    if file.is_file() and not file.is_symlink():
        return file.stat().st_mode & 0o777
    mask = os.umask(0o022)
    os.umask(mask)
    return 0o666 & ~mask
