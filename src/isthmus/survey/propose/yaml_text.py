"""Values as YAML 1.2 text on one line. Pure; the same value gives the same text.

Words stand plain where nobody could take them for anything else; all other text stands in double quotes, with escapes
for everything that is not printed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[ .\-/][A-Za-z0-9_]+)*!?")
_NOT_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_LONG_KEY = 200
"""Characters of a key from which on YAML's limit for keys on one line (1,024) is kept well away from."""


def is_long(text: str) -> bool:
    """Tell whether a text is too long for a key."""
    return len(text) > _LONG_KEY


def text(value: str) -> str:
    """Write one text."""
    if _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT:
        return value
    return quoted(value)


def quoted(value: str) -> str:
    """Write one text in double quotes."""
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else _escape(ord(c))) for c in value) + '"'


def _escape(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def flow(value: Any) -> str:
    """Write a value in flow style."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{text(str(k))}: {flow(v)}" for k, v in cast("Mapping[str, Any]", value).items())
        return "{" + inner + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(one) for one in cast("list[Any]", value)) + "]"
    raise TypeError(f"{type(value).__name__} has no form in YAML here")


def comment(line: str) -> str:
    """Write a comment: one line whatever the text holds."""
    return "# " + "".join(c if c.isprintable() else _escape(ord(c)) for c in line)
