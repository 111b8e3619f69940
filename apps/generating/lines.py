"""Writes truths as plain JSON: one object, or one object a line where there are many."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any


def write_json(path: Path, value: Any) -> None:
    """Write one value, for people to read as well."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


class Lines(AbstractContextManager["Lines"]):
    """A file of JSON lines, written as they come.

    Args:
        path: Written over where it is there.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")
        self._text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        self.count = 0
        """Lines that are written."""

    def add(self, value: dict[str, Any]) -> None:
        """Write a line."""
        self._file.write(self._text(value) + "\n")
        self.count += 1

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()
