"""What `Dependencies:` and `Data Migration:` of a header name. Pure.

Items are separated by commas or lines; one may stand behind a hyphen, as in a list. A name is the server's: words are
folded to lower case unless they stand in double quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from isthmus.govern.migrations.header import Field

NONE, INLINE = "None", "Inline"
_MOST_PATH = 4096
"""Characters; no system has longer paths."""
_ITEM = re.compile(r'(?:"(?:[^"]|"")*"|[^,"])+')
_PART = r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)'
_NAME = re.compile(rf"{_PART}(?:\.{_PART}){{0,2}}")
_PARTS = re.compile(_PART)


@dataclass(frozen=True)
class Dependency:
    """One item.

    Attributes:
        text: As it is written.
        parts: The names that it is made of, as the server keeps them; empty where it is no name of a table or column.
    """

    text: str
    parts: tuple[str, ...]


def read_dependencies(field: Field) -> list[Dependency]:
    """Return the items of `Dependencies:`, in order."""
    return [Dependency(text, tuple(_parts(text))) for text in _items(field.value)]


def _items(value: str) -> Iterator[str]:
    for line in value.splitlines():
        for found in _ITEM.finditer(line):
            text = found[0].strip().removeprefix("- ").strip()
            if text:
                yield text


def _parts(text: str) -> Iterator[str]:
    if not _NAME.fullmatch(text):
        return
    for found in _PARTS.finditer(text):
        quoted = found[0].startswith('"')
        yield found[0][1:-1].replace('""', '"') if quoted else found[0].lower()


def is_inside(path: str) -> bool:
    """Tell whether a path can be one of a repository's; git fails on others."""
    return not path.startswith("/") and ".." not in path.split("/") and "\0" not in path and len(path) <= _MOST_PATH


def script_path(value: str) -> str | None:
    """Return the script that `Data Migration:` names; None where it names none."""
    return None if value in {NONE, INLINE, ""} or "\n" in value else value
