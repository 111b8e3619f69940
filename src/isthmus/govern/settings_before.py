"""What the settings of a commit said, so that those of now can be held against them. Pure.

They are read as they stand, for a commit may have what would be no settings any more.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import PurePosixPath
from typing import Any, cast

from isthmus.govern.findings import Finding
from isthmus.govern.repository.tree import Tree, from_root
from isthmus.govern.settings import FILES, ChangesSettings, SchemaSettings, as_folder

Table = Mapping[str, Any]
_KEYS = frozenset({"layout", "ticket", "models", "baseline", "since"})
"""What says which files are asked for what; rules that are switched off are told with what they would refuse."""


@dataclass(frozen=True)
class Before:
    """What a commit's settings said of a folder.

    Attributes:
        name: What the commit is called.
        table: What stands there.
    """

    name: str
    table: Table


def settings_paths(home: str) -> list[str]:
    """Return where settings may stand, from the repository's root; `home` is the project's folder."""
    return [from_root(home, name) for name in FILES]


def schemas_before(before: Tree, home: str, texts: Mapping[str, bytes]) -> list[Table]:
    """Return the tables `schema` of a commit's settings; none where there are none, or they cannot be read."""
    found = _stated(before, home, texts).get("schema", [])
    ones = cast("list[object]", found if isinstance(found, list) else [found])
    return [cast("Table", one) for one in ones if isinstance(one, dict)]


def changes_before(before: Tree, home: str, texts: Mapping[str, bytes]) -> Table:
    """Return the table `changes` of a commit's settings; an empty one as of `schemas_before`."""
    found = _stated(before, home, texts).get("changes")
    return cast("Table", found) if isinstance(found, dict) else {}


def folder_of(table: Table) -> str:
    """Return the folder that a table names, as the settings of now would have it."""
    return str(PurePosixPath(str(table.get("folder", ""))))


def is_folder(text: str) -> bool:
    """Tell whether settings may name a folder so; else nothing in it was ever governed."""
    try:
        as_folder(text)
    except ValueError:
        return False
    return True


def off_in(table: Table) -> frozenset[str]:
    """Return the rules that a table switches off."""
    found: object = table.get("off")
    return frozenset(cast("dict[str, object]", found)) if isinstance(found, dict) else frozenset()


def models_in(table: Table) -> Sequence[str]:
    """Return the globs that a table names; none where they are no list of texts."""
    found: object = table.get("models")
    ones = cast("list[object]", found) if isinstance(found, list) else []
    texts = [one for one in ones if isinstance(one, str)]
    return texts if len(texts) == len(ones) else []


def newly_off(before: Before, off: Collection[str]) -> frozenset[str]:
    """Return what is switched off now, and was not before."""
    return frozenset(off) - off_in(before.table)


def changed(before: Before, now: SchemaSettings | ChangesSettings) -> Iterator[str]:
    """Yield sentences on what the settings say otherwise of one folder, rules that are switched off left out."""
    for one in fields(now):
        if one.name in _KEYS:
            old, new = _plain(before.table.get(one.name, one.default)), _plain(getattr(now, one.name))
            if old != new:
                yield f"These settings change {one.name} of {now.folder}: in {before.name} it is {old}, and here {new}."


def let_pass(before: Before, folder: str, findings: Iterable[Finding]) -> Iterator[str]:
    """Yield sentences on what is not refused for these settings alone switch it off, and those of before did not."""
    for one in sorted(findings):
        place = f"{one.file}:{one.line}" if one.line else one.file
        yield (
            f"Let pass by these settings of {folder}, and not by those of {before.name}: {place}: {one.message} "
            f"({one.rule})"
        )


def _plain(value: object) -> str:
    if value is None or value is MISSING:
        return "not said"
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in cast("Sequence[object]", value))
    return str(value)


def _stated(before: Tree, home: str, texts: Mapping[str, bytes]) -> Table:
    for path in settings_paths(home):
        blob = before.blobs.get(path)
        try:
            found: Any = tomllib.loads(texts.get(blob.oid, b"").decode()) if blob is not None else {}
            for key in FILES[PurePosixPath(path).name]:
                found = found.get(key, {})
        except (ValueError, AttributeError):
            continue
        if isinstance(found, dict) and found:
            return cast("Table", found)
    return {}
