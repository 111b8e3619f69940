"""What an entry says it needs of PostgreSQL: bullets `- **Required Migration**: …`, `**Table**`, `**Column**`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from isthmus.govern.changes.entry import Section
from isthmus.govern.unwritten import says_nothing

MIGRATION, TABLE, COLUMN = "Required Migration", "Table", "Column"
FORM = f"- **{MIGRATION}**: …, - **{TABLE}**: …, - **{COLUMN}**: …, a line each, or None"
_BULLET = re.compile(rf"[-*]\s+\*\*({MIGRATION}|{TABLE}|{COLUMN})\*\*:(.*)")

_CODE = re.compile(r"(`+)(.+?)\1")


@dataclass(frozen=True)
class Dependency:
    """One thing that must be there.

    Attributes:
        kind: `MIGRATION`, `TABLE` or `COLUMN`.
        name: Its name.
        line: Where it is said.
        table: Of a column.
    """

    kind: str
    name: str
    line: int
    table: str = ""


@dataclass(frozen=True)
class Dependencies:
    """All of an entry.

    Attributes:
        found: Those that could be read, in order.
        faults: Line and sentence of what could not.
    """

    found: tuple[Dependency, ...] = ()
    faults: tuple[tuple[int, str], ...] = ()


def read_dependencies(section: Section) -> Dependencies:
    """Read a section of dependencies; a column belongs to the table above it, an indented line is a remark."""
    if section.is_none:
        return Dependencies()
    found: list[Dependency] = []
    faults: list[tuple[int, str]] = []
    table = ""
    for line in section.lines:
        bullet = None if line.fenced else _BULLET.fullmatch(line.text)
        if bullet is None:
            if not line.text.startswith("  "):
                faults.append((line.number, f"`{line.text.strip()}` is no dependency."))
            continue
        kind = bullet[1]
        for name in _names(bullet[2], kind):
            if name is None:
                faults.append((line.number, f"`{kind}` names nothing."))
                continue
            if kind == TABLE:
                table = name
            if kind == COLUMN and not table:
                faults.append((line.number, f"The column {name} stands below no table."))
            else:
                found.append(Dependency(kind, name, line.number, table if kind == COLUMN else ""))
    if not section.lines:
        faults.append((section.line, "It does not say what it needs of PostgreSQL."))
    return Dependencies(tuple(found), tuple(faults))


def _names(text: str, kind: str) -> list[str | None]:
    """Read what a bullet names, a None for what names nothing: one thing, or several columns with commas."""
    codes = [found[2] for found in _CODE.finditer(text)]
    if codes and not _CODE.sub("", text).strip(", "):
        names = [one.strip() or None for one in codes]
    elif "`" in text:
        names = [None]
    else:
        names = [
            None if says_nothing(part) else part.strip() for part in (text.split(",") if kind == COLUMN else [text])
        ]
    return names if kind == COLUMN or len(names) == 1 else [None]
