"""The header of a migration: comment lines `-- Name: value` among its first lines.

A value goes on in the comment lines behind it that begin with more than one space, so that a rollback may have several
statements. Names are matched as they are written; one in another spelling is named, so that nobody wonders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

HEADER_LINES = 30
"""Lines of a file in which its header must stand."""
FIELDS = (
    "Migration",
    "Purpose",
    "Ticket",
    "Reversible",
    "Rollback",
    "Dependencies",
    "Data Migration",
    "Transaction",
)
REQUIRED = ("Purpose", "Ticket", "Reversible")
_LINE = re.compile(r"--[ \t]*([A-Za-z][A-Za-z _-]*?)[ \t]*:(.*)")
_EXACT = re.compile(r"-- ([A-Z][A-Za-z ]*): ?(.*)")
_MORE = re.compile(r"--(?:[ ]{2,}|[ ]*\t[ \t]*)(\S.*)")


@dataclass(frozen=True)
class Field:
    """One field of a header.

    Attributes:
        name: As in `FIELDS`.
        value: Its value, lines joined with line breaks, white space at the ends removed.
        line: Where it begins, from 1.
        begins: Where its value begins: in the same line, or in the next one.
    """

    name: str
    value: str
    line: int
    begins: int


@dataclass(frozen=True)
class Header:
    """What the header of a migration says.

    Attributes:
        fields: By name, the first of each.
        twice: Those that came again.
        late: Those that stand behind the lines in which a header must stand.
        misspelt: Line and text of lines that are nearly a field, with the field that is meant.
    """

    fields: dict[str, Field] = field(default_factory=dict[str, Field])
    twice: tuple[Field, ...] = ()
    late: tuple[Field, ...] = ()
    misspelt: tuple[tuple[int, str, str], ...] = ()

    def value(self, name: str) -> str | None:
        """Return a field's value; None where the header has none such."""
        found = self.fields.get(name)
        return None if found is None else found.value

    @property
    def in_transaction(self) -> bool:
        """Whether the migration is to be one transaction."""
        return self.value("Transaction") != "none"


def read_header(text: str) -> Header:
    """Read the header of a migration's text."""
    lines = text.removeprefix("\ufeff").splitlines()
    fields: dict[str, Field] = {}
    twice: list[Field] = []
    late: list[Field] = []
    misspelt: list[tuple[int, str, str]] = []
    for found in _fields(lines):
        if isinstance(found, tuple):
            if found[0] <= HEADER_LINES:
                misspelt.append(found)
        elif found.line > HEADER_LINES:
            late.append(found)
        elif found.name in fields:
            twice.append(found)
        else:
            fields[found.name] = found
    return Header(fields, tuple(twice), tuple(one for one in late if one.name not in fields), tuple(misspelt))


def _fields(lines: list[str]) -> Iterator[Field | tuple[int, str, str]]:
    at = 0
    while at < len(lines):
        line = lines[at].rstrip()
        exact = _EXACT.fullmatch(line)
        if exact and exact[1] in FIELDS:
            value = [exact[2].strip()]
            begun = at
            while at + 1 < len(lines) and (more := _MORE.fullmatch(lines[at + 1].rstrip())):
                value.append(more[1].strip())
                at += 1
            yield Field(exact[1], "\n".join(one for one in value if one), begun + 1, begun + (1 if value[0] else 2))
        elif (near := _LINE.fullmatch(line)) and (meant := _meant(near[1])) is not None:
            yield at + 1, line, meant
        at += 1


def _meant(written: str) -> str | None:
    plain = re.sub(r"[\s_-]+", " ", written).strip().lower()
    return next((name for name in FIELDS if name.lower() == plain), None)
