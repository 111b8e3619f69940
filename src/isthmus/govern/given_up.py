"""Folders that the settings of HEAD or of the base govern, and those of now do not. Pure.

A folder that is moved together with its line in the settings would else be a new one, whose migrations nothing holds
against what they were.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, cast

from isthmus.govern.findings import Finding
from isthmus.govern.repository.tree import Blob, Tree
from isthmus.govern.settings import FILES, Settings

UNCHANGED = "migration-unchanged"
"""The rule that such a folder would pass by; where it was switched off for a folder, that may be given up."""


def settings_paths(home: str) -> list[str]:
    """Return where settings may stand, from the repository's root; `home` is the project's folder."""
    return [f"{home}/{name}" if home else name for name in FILES]


def given_up(now: Settings, file: str, before: Tree, home: str, texts: Mapping[str, bytes]) -> Iterator[Finding]:
    """Yield folders that a commit's settings name and those of now do not.

    Args:
        now: The settings.
        file: Where they stand.
        before: The commit.
        home: The project's folder, from the repository's root.
        texts: Object → content.
    """
    kept = {one.folder for one in now.schemas}
    for folder in _folders(before, home, texts):
        if folder not in kept:
            yield Finding(
                file,
                0,
                UNCHANGED,
                f"The settings of {before.name} name the folder {folder}, and these do not: nothing would look at its "
                "migrations.",
                f"Keep it in the settings. To give it up, first commit `off = {{{UNCHANGED} = …}}` for it.",
            )


def _folders(before: Tree, home: str, texts: Mapping[str, bytes]) -> list[str]:
    for path in settings_paths(home):
        blob: Blob | None = before.blobs.get(path)
        stated = _stated(path, texts.get(blob.oid, b"")) if blob is not None else None
        if stated is not None:
            return [str(PurePosixPath(str(one.get("folder")))) for one in stated if UNCHANGED not in one.get("off", {})]
    return []


def _stated(path: str, text: bytes) -> list[dict[str, Any]] | None:
    """Return the tables `schema` of a settings file; None where it is none, or cannot be read."""
    try:
        found: Any = tomllib.loads(text.decode())
        if not path.endswith(FILES[0]):
            found = found["tool"]["isthmus"]
        schemas = found.get("schema", [])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    ones = cast("list[object]", schemas if isinstance(schemas, list) else [schemas])
    return [cast("dict[str, Any]", one) for one in ones if isinstance(one, dict)]
