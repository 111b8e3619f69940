"""Writes docs/reference/mapping.md: the language by hand, the table of conversions from the code."""

from __future__ import annotations

from pathlib import Path


def page(root: Path) -> str:
    """Write the page."""
    from isthmus.mapping.types import markdown

    language = (root / "tools" / "docs" / "mapping_language.md").read_text(encoding="utf-8")
    return language.replace("{{types}}\n", markdown())


def schema(_root: Path) -> str:
    """Write the JSON Schema of the mapping."""
    from isthmus.mapping.schema import json_schema_text

    return json_schema_text()


def resolutions_schema(_root: Path) -> str:
    """Write the JSON Schema of files of answers."""
    from isthmus.mapping.resolutions_schema import json_schema_text

    return json_schema_text()
