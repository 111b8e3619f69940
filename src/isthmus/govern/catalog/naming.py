"""Names as a person writes them: in double quotes only where SQL needs them. Pure."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")


def quoted(name: str) -> str:
    """Return a name, in double quotes where it holds what a plain one may not.

    Reserved words stay as they are: this is for people and for keys, not for SQL that is executed.
    """
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'
