"""Print the mapping for tables of a later application: mapping.yaml with the changes of another file.

    python -m apps.nextcrm.later > apps/nextcrm/later.yaml
    python -m apps.nextcrm.later my_changes.yaml > apps/nextcrm/later.yaml

In the checkout. Without a file it is `april_2026.yaml`, which also says how such a file is read.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any, TextIO, cast

from isthmus.cli.output import show_error, show_lost_output
from isthmus.cli.streams import lost_output, outlive_readers, reader_left
from isthmus.errors import ConfigError, IsthmusError, Where

HOME = Path(__file__).parent
MAPPING = HOME / "mapping.yaml"
APRIL_2026 = HOME / "april_2026.yaml"
BY_NAME = ("enums", "collections", "junctions")
"""The parts of a mapping that are changed name by name."""
_HEAD = re.compile(r"\A(?:#[^\n]*\n)*")
"""The comment with which a mapping begins."""


def changed(mapping: dict[str, Any], changes: dict[str, Any]) -> list[str]:
    """Change a mapping as another file says; return what that takes away or skips although it is not there. Pure.

    Args:
        mapping: As read from its file; it is changed.
        changes: A mapping of only what differs; None takes away. A collection that the mapping has not is a new table,
            never one to skip: that would be a name typed wrong.
    """
    stale: list[str] = []
    for part, named in changes.items():
        if part not in BY_NAME:
            _put(mapping, part, named, "", stale)
            continue
        for name, value in named.items():
            entry = mapping[part].get(name)
            if part == "collections" and entry is None and value is not None and "skip" in value:
                stale.append(f"{part}.{name}")
                continue
            if part != "collections" or entry is None or value is None or "skip" in value:
                _put(mapping[part], name, value, f"{part}.", stale)
                continue
            place = f"{part}.{name}."
            for key, inner in value.items():
                if key != "fields":
                    _put(entry, key, inner, place, stale)
                    continue
                for field, rule in inner.items():
                    _put(entry.setdefault("fields", {}), field, rule, f"{place}fields.", stale)
    return stale


def _put(into: dict[str, Any], name: str, value: object, place: str, stale: list[str]) -> None:
    if value is not None:
        into[name] = value
    elif into.pop(name, None) is None:
        stale.append(f"{place}{name}")


def write(changes: Path, out: TextIO, mapping: Path = MAPPING) -> None:
    """Write a mapping with the changes of a file; comments of both stay, but for the mapping's head, which is its own.

    Raises:
        ConfigError: The file cannot be read (code `changes-unreadable`), or takes away or skips what is not there
            (`changes-stale`).
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)  # pyright: ignore[reportUnknownMemberType]
    text = mapping.read_text(encoding="utf-8")
    made: Any = yaml.load(_HEAD.sub("", text))  # pyright: ignore[reportUnknownMemberType]
    stale = changed(made, _read(yaml, changes))
    if stale:
        raise ConfigError(
            f"It takes away or skips what {mapping.name} has not: {', '.join(stale)}.",
            code="changes-stale",
            where=Where(file=str(changes)),
            hint=f"Take these lines out, or correct the names. A collection of your own is skipped in {mapping.name}.",
        )
    out.write(
        f"# Written by python -m apps.nextcrm.later, for tables of another version of the application: {mapping.name}\n"
        f"# with the changes of {json.dumps(changes.name, ensure_ascii=False)}. Change these two, and write it anew.\n"
        f"# What holds for all stands in the head of {mapping.name}.\n"
    )
    yaml.dump(made, out)  # pyright: ignore[reportUnknownMemberType]


def _read(yaml: Any, changes: Path) -> dict[str, Any]:
    from ruamel.yaml.error import YAMLError

    try:
        read = yaml.load(changes.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as fault:
        said = " ".join(str(fault).split())
    else:
        said = _unfit(read)
        if said is None:
            return read
    raise ConfigError(
        f"The changes cannot be read: {said}.",
        code="changes-unreadable",
        where=Where(file=str(changes)),
        hint=f"{APRIL_2026.name} is one that can.",
    )


def _unfit(read: Any) -> str | None:
    """Say why what was read is no map of changes; None where it is one."""
    if not isinstance(read, dict):
        return "this is no map"
    parts: dict[str, Any] = {part: cast("dict[str, Any]", read).get(part, {}) for part in BY_NAME}
    for part, named in parts.items():
        if not isinstance(named, dict):
            return f"{part} is no map of names"
    for name, entry in parts["collections"].items():
        if entry is not None and not (isinstance(entry, dict) and isinstance(entry.get("fields", {}), dict)):
            return f"collections.{name} is no entry"
    return None


def main(arguments: list[str] | None = None) -> int:
    """Print the changed mapping; returns the exit code of the fault where one stops it."""
    parser = argparse.ArgumentParser(
        prog="python -m apps.nextcrm.later",
        description="Print the mapping for tables of a later application.",
        epilog="Exit codes: 0 printed; 2 wrong arguments, changes that cannot be made, or an output that did not"
        " take it all.",
    )
    parser.add_argument("changes", type=Path, nargs="?", default=APRIL_2026, help="default: april_2026.yaml")
    changes = parser.parse_args(arguments).changes
    outlive_readers()
    try:
        write(changes, sys.stdout)
    except IsthmusError as fault:
        show_error(fault)
        return fault.exit_code
    sys.stdout.flush()
    return 0 if lost_output() is None or reader_left() else show_lost_output()


if __name__ == "__main__":
    raise SystemExit(main())
