"""Names: how a MongoDB name becomes a PostgreSQL one, and how constraints and indexes are called.

Decides folding, quoting, the 63-byte limit and deterministic names for keys, foreign keys and indexes. Leaves to
`check` whether two names collide.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

NAME_BYTES = 63
"""Longest PostgreSQL identifier in bytes (NAMEDATALEN - 1); the server silently cuts what is longer."""

SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
"""Column names PostgreSQL keeps for itself (documentation: System Columns)."""

# Classes: u upper case, l lower case, o all else (digits, scripts without case). A word ends before an upper-case
# letter that does not follow another one, and before the last letter of an upper-case run that goes on in lower case; a
# lone plural "s" belongs to the run before it (IDs, URLs).
_BOUNDARY = re.compile(r"(?<=[lo])(?=u)|(?<=u)(?=ul)")
_PLURAL = re.compile(r"(?<=uu)l(?!l)")


def quote_identifier(name: str) -> str:
    """Quote one SQL identifier; the only place where identifiers become SQL.

    Args:
        name: The name exactly as it shall be in the catalog.

    Returns:
        The name in double quotes, inner quotes doubled. Always quoted, so reserved words and upper case are safe.

    Raises:
        ValueError: The name is empty or holds a NUL.
    """
    if not name or "\0" in name:
        raise ValueError(f"{name!r} is not an identifier: it is empty or holds a NUL.")
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Quote one SQL string constant; safe whatever `standard_conforming_strings` says.

    Args:
        text: Any text without NUL.

    Returns:
        `'…'`, or `E'…'` when the text holds a backslash.
    """
    quoted = text.replace("'", "''")
    if "\\" in text:
        return "E'" + quoted.replace("\\", "\\\\") + "'"
    return f"'{quoted}'"


def fold(name: str) -> str:
    """Fold a MongoDB name to snake_case.

    `dueDateAt` becomes `due_date_at`, `ABCThing` `abc_thing`, `documentIDs` `document_ids`, `line2Text` `line2_text`.
    Letters of other scripts and leading digits stay; every other character separates words.

    Args:
        name: A field, path or collection name; may be anything.

    Returns:
        The folded name, empty when the name holds no letter and no digit.
    """
    words: list[str] = []
    separated = "".join(c if c.isalnum() or unicodedata.category(c).startswith("M") else " " for c in name)
    for word in separated.split():
        words.extend(_split(word))
    return "_".join(words).lower()


def _split(word: str) -> list[str]:
    classes = "".join("u" if c.isupper() else "l" if c.islower() else "o" for c in word)
    classes = "".join(
        "u" if word[i] == "s" and _PLURAL.match(classes, i) else class_ for i, class_ in enumerate(classes)
    )
    cuts = [0, *(match.start() for match in _BOUNDARY.finditer(classes)), len(word)]
    return [word[start:end] for start, end in pairwise(cuts)]


def name_fault(name: str) -> str | None:
    """Say what is wrong with a name for a table, column, type, schema or index.

    Returns:
        The end of a sentence that starts with the name, or None for a good name.
    """
    if not name:
        return "is empty"
    if "\0" in name:
        return "holds a NUL character"
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "is not valid Unicode"
    if length > NAME_BYTES:
        return f"has {length} bytes, but PostgreSQL cuts names after {NAME_BYTES}"
    return None


def object_name(parts: Iterable[str], suffix: str, *, detail: str = "") -> str:
    """Make the name of a key, constraint or index.

    Args:
        parts: Table and columns, in order.
        suffix: `pkey`, `fkey`, `key`, `idx`.
        detail: What else makes the object different from another one of the same parts; goes into the hash.

    Returns:
        `parts…_suffix`; when that exceeds 63 bytes, or `detail` is given, as many whole characters of the parts as
        fit, then eight hex digits of SHA-256 over the full name and the detail, then the suffix. The same input
        always gives the same name, of at most 63 bytes.
    """
    stem = "_".join(parts)
    full = f"{stem}_{suffix}"
    if not detail and len(full.encode()) <= NAME_BYTES:
        return full
    digest = hashlib.sha256(f"{full}\0{detail}".encode()).hexdigest()[:8]
    tail = f"_{digest}_{suffix}"
    room = NAME_BYTES - len(tail.encode())
    return stem.encode()[:room].decode(errors="ignore") + tail
