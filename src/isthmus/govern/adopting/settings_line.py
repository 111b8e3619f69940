"""Put `baseline = "…"` into a project's settings, everything else as it was. Pure."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, cast

_FOLDER = re.compile(r"\s*(folder|\"folder\"|'folder')\s*=")


def with_baseline(text: str, folder: str, baseline: str, *, prefix: tuple[str, ...] = ()) -> str | None:
    """Return the settings with a baseline for one schema.

    Args:
        text: All of the file; its schema has no baseline.
        folder: The schema's folder, as it is written there.
        baseline: The baseline.
        prefix: Where the settings begin: `tool`, `isthmus` in pyproject.toml.

    Returns:
        None where it is written in a form that this does not know, such as a table within one line.
    """
    ends = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if _FOLDER.match(line):
            whole = line if line.endswith(("\n", "\r")) else line + ends
            more = f"baseline = {json.dumps(baseline, ensure_ascii=False)}{ends}"
            made = "".join([*lines[:number], whole, more, *lines[number + 1 :]])
            if _says(made, text, folder, baseline, prefix):
                return made
    return None


def _says(made: str, before: str, folder: str, baseline: str, prefix: tuple[str, ...]) -> bool:
    """Tell whether settings say what those before said, and this baseline besides."""
    try:
        found, expected = tomllib.loads(made), tomllib.loads(before)
    except tomllib.TOMLDecodeError:
        return False
    schemas: Any = expected
    for part in (*prefix, "schema"):
        schemas = schemas.get(part, {})
    for one in cast("list[dict[str, Any]]", schemas if isinstance(schemas, list) else [schemas]):
        if str(one.get("folder", "")).rstrip("/") == folder.rstrip("/"):
            one["baseline"] = baseline
    return found == expected
