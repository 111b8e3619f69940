"""Names that others gave (files, folders, databases), as a message and a command line can hold them.

A name may hold any character; in a message an ESC would be an order to the terminal, a line break a line of its own.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from shlex import quote

# C0, DEL and C1; what ends a line or turns the direction of writing.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_FOREIGN = re.compile("[\udc80-\udcff]")  # how Python writes bytes of a name that are no UTF-8


def printable(name: Path | str) -> str:
    """Return a path or name as text that can be stored; bytes of it that are no UTF-8 become U+FFFD."""
    return os.fsencode(name).decode(errors="replace")


def shown(name: Path | str) -> str:
    """Return a path or name for a message: control characters as escapes (`\\x1b`), what is no UTF-8 as U+FFFD."""
    return _CONTROLS.sub(_escape, _SURROGATES.sub("\ufffd", str(name)))


def quoted(name: str) -> str:
    """Return a name as one word of a shell, without control characters in it; bash, zsh and ksh know the escapes."""
    if not _CONTROLS.search(name) and not _FOREIGN.search(name):
        return quote(name)
    plain = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{_FOREIGN.sub(_escape_byte, _CONTROLS.sub(_escape, plain))}'"


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}"


def _escape_byte(found: re.Match[str]) -> str:
    return f"\\x{os.fsencode(found[0])[0]:02x}"
