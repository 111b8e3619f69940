"""Paths of fields as a mapping writes them."""

from __future__ import annotations

from isthmus.mapping.model import FieldPath


def parse_path(text: str) -> FieldPath | None:
    r"""Split a dotted path; `\.` is a dot inside a key, `\\` a backslash.

    Returns:
        The keys; None when one is empty (such a path is written as a list, `path: [a, ""]`).
    """
    keys: list[str] = [""]
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\" and text[position + 1 : position + 2] in (".", "\\"):
            position += 1
            keys[-1] += text[position]
        elif character == ".":
            keys.append("")
        else:
            keys[-1] += character
        position += 1
    return tuple(keys) if all(keys) else None


def show_path(path: FieldPath) -> str:
    """Print a path as a mapping writes it; an empty key shows as `""`."""
    return ".".join(key.replace("\\", "\\\\").replace(".", "\\.") or '""' for key in path)
