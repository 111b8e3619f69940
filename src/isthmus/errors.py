"""Every error Isthmus raises, grouped by who must act.

    IsthmusError
    ├── MappingError      the mapping file is wrong: its author acts              exit 2
    ├── ConfigError       a command line, setting or environment is wrong         exit 2
    ├── SourceError       the MongoDB side cannot be read: its operator acts      exit 3
    ├── TargetError       the PostgreSQL side refuses: its operator acts          exit 4
    ├── ConversionError   one document does not fit: a person decides             exit 1
    ├── GovernError       a governance rule refuses a change                      exit 5
    ├── PolyglotError     two databases of one application disagree               exit 1
    └── InternalError     Isthmus itself is wrong: please report it               exit 4

Each error carries a stable code (a slug that also names its page in the reference), where it happened, typed
context, a hint (what to do next) and whether trying again can help. Messages are whole sentences; values in them are
shortened and secrets never appear. A difference found by verify is data, not an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Where:
    """The place an error speaks of; every part is optional.

    Attributes:
        file: File name as the user gave it.
        line: Line in that file, counted from 1.
        collection: MongoDB collection.
        source_id: The document's `_id`, printable and shortened.
        path: Path of the field inside the document, or inside the mapping.
        table: PostgreSQL table, with the column behind a dot where one is meant.
    """

    file: str | None = None
    line: int | None = None
    collection: str | None = None
    source_id: str | None = None
    path: str | None = None
    table: str | None = None

    def __str__(self) -> str:
        parts: list[str] = []
        if self.file is not None:
            parts.append(self.file if self.line is None else f"{self.file}:{self.line}")
        if self.collection is not None:
            parts.append(f"collection {self.collection}")
        if self.source_id is not None:
            parts.append(f"_id {self.source_id}")
        if self.path is not None:
            parts.append(self.path)
        if self.table is not None:
            parts.append(f"table {self.table}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Problem:
    """One finding of a check that reports all it found.

    Attributes:
        code: Stable slug.
        message: Whole sentence: what is wrong.
        where: Where it is.
        hint: What would be right, or what to do next.
    """

    code: str
    message: str
    where: Where = field(default_factory=Where)
    hint: str | None = None

    def __str__(self) -> str:
        place = str(self.where)
        text = f"({self.code}) {place}: {self.message}" if place else f"({self.code}) {self.message}"
        return f"{text} {self.hint}" if self.hint else text


class IsthmusError(Exception):
    """Base of all errors that Isthmus raises on purpose.

    Args:
        message: Whole sentence that names the thing and the value.
        code: Stable slug; the class's own by default.
        where: Where it happened.
        context: Typed facts for programs (JSON scalars only, no secrets).
        hint: What to do next.
        retryable: Whether the same call may succeed later without a change by a person.
        problems: All findings, when one check found several.
    """

    code: str = "error"
    exit_code: int = 4

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        where: Where | None = None,
        context: Mapping[str, str | int | float | bool | None] | None = None,
        hint: str | None = None,
        retryable: bool = False,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.where = where or Where()
        self.context = dict(context or {})
        self.hint = hint
        self.retryable = retryable
        self.problems = problems

    def __str__(self) -> str:
        place = str(self.where)
        return f"{place}: {self.message}" if place else self.message


class MappingError(IsthmusError):
    """The mapping file cannot be used as it is."""

    code = "mapping"
    exit_code = 2


class ConfigError(IsthmusError):
    """A command line, setting or environment variable is wrong."""

    code = "config"
    exit_code = 2


class SourceError(IsthmusError):
    """The MongoDB side cannot be read."""

    code = "source"
    exit_code = 3


class TargetError(IsthmusError):
    """The PostgreSQL side refuses."""

    code = "target"
    exit_code = 4


class ConversionError(IsthmusError):
    """One document does not fit the mapping."""

    code = "conversion"
    exit_code = 1


class GovernError(IsthmusError):
    """A governance rule refuses a change."""

    code = "govern"
    exit_code = 5


class PolyglotError(IsthmusError):
    """Two databases of one application disagree."""

    code = "polyglot"
    exit_code = 1


class InternalError(IsthmusError):
    """Isthmus itself is wrong; nothing the user did."""

    code = "internal"
    exit_code = 4
