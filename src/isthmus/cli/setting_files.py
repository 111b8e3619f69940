"""Addresses that stand in a file instead of the environment, as container platforms hand over secrets.

`MONGODB_URI_FILE` and `DATABASE_URL_FILE` name the file; everything else takes its address from the variable without
`_FILE`, wherever that came from.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from pathlib import Path

from isthmus.errors import ConfigError

ADDRESSES = ("MONGODB_URI", "DATABASE_URL")
"""Variables whose value may stand in a file: they may hold a password."""


def read_setting_files(environment: MutableMapping[str, str], names: Iterable[str] = ADDRESSES) -> None:
    """Set every address whose file is named, from its one line.

    White space around it does not count, nor does the byte order mark that some editors write in front.

    An empty variable is as good as none.

    Args:
        environment: Read, and changed in place.
        names: Of the variables that may stand in files.

    Raises:
        ConfigError: A file cannot be used (`setting-file`), or the address stands in both places (`setting-twice`).
            What a file holds is never repeated.
    """
    for name in names:
        file = environment.get(f"{name}_FILE")
        if not file:
            continue
        if environment.get(name):
            message = f"{name} and {name}_FILE are both set; only one of them can be meant."
            raise ConfigError(message, code="setting-twice", hint="Take one of them out of the environment.")
        environment[name] = _only_line(Path(file), f"{name}_FILE")


def _only_line(file: Path, variable: str) -> str:
    hint = "Mount a file with the address on its only line, readable for the user that isthmus runs as."
    try:
        text = file.read_text(encoding="utf-8-sig").strip()
    except (OSError, ValueError) as fault:
        why = getattr(fault, "strerror", None) or "it is no UTF-8 text"
        message = f"The file {file} that {variable} names cannot be read: {why}."
        raise ConfigError(message, code="setting-file", hint=hint) from None
    if not text or "\n" in text or "\0" in text:
        what = "is empty" if not text else "holds more than one line of text"
        raise ConfigError(f"The file {file} that {variable} names {what}.", code="setting-file", hint=hint)
    return text
