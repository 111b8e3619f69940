"""What a linter said. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Said:
    """One thing that it said of a file.

    Attributes:
        name: Its rule.
        start: Where that begins, in bytes of the file without a byte order mark.
        end: Where it ends.
        line: The line, from 1.
        message: What is wrong.
        help: What would be better; empty where it said nothing.
    """

    name: str
    start: int
    end: int
    line: int
    message: str
    help: str = ""


@dataclass(frozen=True)
class Report:
    """What it said of several files.

    Attributes:
        files: Path → what it said, in order.
    """

    files: Mapping[str, tuple[Said, ...]] = field(default_factory=dict[str, tuple[Said, ...]])
