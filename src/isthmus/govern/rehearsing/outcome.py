"""What a rehearsal came to, one migration at a time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from isthmus.govern.catalog.model import Key

Stand: TypeAlias = Literal[
    "older", "passed over", "not reversible", "restores", "in part", "not restored", "fails", "excused"
]
"""`older`: of the baseline; `passed over`: `--last` leaves it out; `not reversible`: its header says No, or nothing;
`restores`: all that was there before is there again; `in part`: its header says Partial, and something is not; `not
restored`: its header says Yes, and something is not, or its rollback is refused; `fails`: it cannot be applied where
tables have rows; `excused`: one of these two, and the settings say why it may be so."""
REFUSED: frozenset[Stand] = frozenset({"not restored", "fails"})
"""What stands against a migration."""
Kind: TypeAlias = Literal[
    "rollback-refused",
    "rollback-differs",
    "rows-lost",
    "again-refused",
    "again-differs",
    "again-rows",
    "fails-on-rows",
    "without-rows",
    "order",
]
ERRORS: frozenset[Kind] = frozenset(
    {"rollback-refused", "rollback-differs", "rows-lost", "again-refused", "again-differs"}
)
"""What stands against `Reversible: Yes`."""


@dataclass(frozen=True)
class Said:
    """One thing that was found.

    Attributes:
        kind: `rollback-differs`: the catalog after the rollback is not what it was; `rows-lost`: rows or values that
            were there before are gone; `again-…`: the same of the migration applied once more; `fails-on-rows`: the
            migration is refused where tables have rows; `without-rows`: it could only be tried on empty tables;
            `order`: columns stand in another order, an extension is of another version, or a NOT NULL has another name.
        sentence: What an operator reads.
        key: The object that it is about; None where it is about none.
        file: Where the statement stands that the server refused; None where none was.
        line: From 1.
        certain: Of `fails-on-rows`: that it fails with rows of any kind.
    """

    kind: Kind
    sentence: str
    key: Key | None = None
    file: str | None = None
    line: int | None = None
    certain: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "kind": self.kind,
            "message": self.sentence,
            "object": None if self.key is None else {**self.key._asdict(), "place": self.key.place},
            "file": self.file,
            "line": self.line,
        }


@dataclass
class Outcome:
    """What became of one migration.

    Attributes:
        schema: What the settings call its folder.
        name: Its name.
        file: Its SQL.
        reversible: What its header says; None where it says nothing.
        stand: See `Stand`.
        said: What was found.
        rows: Rows that the tables held before it.
        why: Where it is excused: the settings' reason.
        seconds: How long it took.
    """

    schema: str
    name: str
    file: str
    reversible: str | None
    stand: Stand
    said: list[Said] = field(default_factory=list[Said])
    rows: int = 0
    why: str | None = None
    seconds: float = 0.0

    def judge(self, excuses: Mapping[str, str]) -> None:
        """Decide where it stands, from what was found and what its header says."""
        against = [one for one in self.said if one.kind in ERRORS]
        failing = any(one.certain for one in self.said)
        if self.stand == "restores" and against:
            nothing = any(one.kind == "rollback-refused" for one in against)
            self.stand = "not restored" if self.reversible == "Yes" or nothing else "in part"
        if failing and self.stand != "not restored":
            self.stand = "fails"
        if self.stand in REFUSED and self.name in excuses:
            self.stand, self.why = "excused", excuses[self.name]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "name": self.name,
            "file": self.file,
            "reversible": self.reversible,
            "outcome": self.stand,
            "rows_before": self.rows,
            "findings": [one.as_json() for one in self.said],
            "why": self.why,
            "seconds": round(self.seconds, 3),
        }
