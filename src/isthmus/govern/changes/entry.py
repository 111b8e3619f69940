"""An entry of the log: a Markdown text whose headings are its sections. Pure.

What stands in a fenced block is no heading, and what stands in `<!-- -->` is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

SECTIONS: dict[str, int] = {
    "Date": 2,
    "Ticket": 2,
    "Model File": 2,
    "PostgreSQL Dependencies": 2,
    "Changes": 2,
    "Added Fields": 3,
    "Modified Fields": 3,
    "Removed Fields": 3,
    "Index Changes": 3,
    "Data Migration": 2,
    "Rollback": 2,
    "Testing": 2,
}
"""Section → level of its heading, in the order in which they stand."""
WHAT_CHANGED = ("Added Fields", "Modified Fields", "Removed Fields", "Index Changes")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_MARKS = frozenset("#`~")
"""What a heading or a fence begins with."""
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NONE = re.compile(r"[-*\s]*none\.?\s*", re.IGNORECASE)
_ARROW = re.compile(r"(?<!\s)\s+(?:→|->)\s+")


class Line(NamedTuple):
    """One line of a section.

    Attributes:
        number: From 1.
        text: Without white space at its end.
        fenced: Whether it belongs to a fenced block.
    """

    number: int
    text: str
    fenced: bool = False


@dataclass(frozen=True)
class Section:
    """A heading, and what stands below it up to the next one.

    Attributes:
        name: Text of the heading.
        level: Number of its `#`.
        line: Where it stands, from 1.
        lines: Below it, empty ones left out.
    """

    name: str
    level: int
    line: int
    lines: tuple[Line, ...] = ()

    @property
    def value(self) -> str:
        """What it says; empty where that is nothing."""
        return "\n".join(one.text.strip() for one in self.lines)

    @property
    def is_none(self) -> bool:
        """Whether it says `None`."""
        return _NONE.fullmatch(self.value) is not None


@dataclass(frozen=True)
class ModelFile:
    """Which model an entry is about.

    Attributes:
        path: From the project's folder, as it is called now, or was when it was deleted.
        old: What it was called before; None where it was not renamed.
    """

    path: str
    old: str | None = None


@dataclass(frozen=True)
class Entry:
    """What an entry says.

    Attributes:
        headings: All sections, in their order, with those that are none of an entry's.
    """

    headings: tuple[Section, ...] = ()
    by_name: dict[str, Section] = field(default_factory=dict[str, Section], compare=False)

    def section(self, name: str) -> Section | None:
        """Return the first section of a name; None where it has none."""
        return self.by_name.get(name)

    def value(self, name: str) -> str | None:
        """Return what a section says; None where it has none such."""
        found = self.section(name)
        return None if found is None else found.value

    @property
    def title(self) -> str | None:
        """The heading of the whole; None without one."""
        return next((one.name for one in self.headings if one.level == 1), None)

    @property
    def model(self) -> ModelFile | None:
        """The one model it is about; None where it does not name one."""
        return read_model_file(self.value("Model File") or "")


def read_entry(text: str) -> Entry:
    """Read an entry's text."""
    shown = text.removeprefix("\ufeff")
    if "<!--" in shown:
        shown = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), shown)
    found: list[tuple[str, int, int, list[Line]]] = []
    for line, heading in _lines(shown):
        if heading is not None:
            name = heading[2].rstrip("# \t") if heading[2].endswith("#") else heading[2]
            found.append((name, len(heading[1]), line.number, []))
        elif found:
            found[-1][3].append(line)
    headings = tuple(Section(name, level, number, tuple(lines)) for name, level, number, lines in found)
    first: dict[str, Section] = {}
    for one in headings:
        if SECTIONS.get(one.name) == one.level:
            first.setdefault(one.name, one)
    return Entry(headings, first)


def _lines(text: str) -> Iterator[tuple[Line, re.Match[str] | None]]:
    fence = ""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.rstrip()
        if not line:
            continue
        if line.lstrip(" ")[0] not in _MARKS:
            yield Line(number, line, fenced=bool(fence)), None
            continue
        mark = _FENCE.fullmatch(line)
        if fence:
            yield Line(number, line, fenced=True), None
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
        elif mark:
            fence = mark[1]
            yield Line(number, line, fenced=True), None
        else:
            yield Line(number, line), _HEADING.fullmatch(line)


def read_model_file(value: str) -> ModelFile | None:
    """Read `path`, or `old → new` of a renamed model, each as it is or as code; None where it names not just that."""
    if "\n" in value:
        return None
    if value.startswith("`") and (alone := unquoted(value)) is not None:
        return ModelFile(alone)  # an arrow in it belongs to its name
    for arrow in _ARROW.finditer(value):
        old, new = unquoted(value[: arrow.start()]), unquoted(value[arrow.end() :])
        if old is not None and new is not None:
            return ModelFile(new, old)
    return None if "`" in value or not value else ModelFile(value)


def unquoted(text: str) -> str | None:
    """Return a text without the back-ticks around it; None where it is empty, or more than one piece of code."""
    inner = text.strip()
    ticks = len(inner) - len(inner.lstrip("`"))
    if ticks:
        if not inner.endswith("`" * ticks) or len(inner) <= 2 * ticks:
            return None
        inner = inner[ticks:-ticks]
        if "`" * ticks in inner:
            return None
    return inner.strip() or None


def quoted(text: str) -> str:
    """Return a text as code."""
    longest = max((len(one) for one in re.findall("`+", text)), default=0)
    ticks = "`" * (longest + 1)
    gap = " " if longest else ""
    return f"{ticks}{gap}{text}{gap}{ticks}"
