"""What there is to settle of a migration: how far it is, what is in hand, and what a person can say of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import psycopg

from isthmus.connect.secrets import HIDDEN, hide
from isthmus.errors import ConfigError
from isthmus.govern.deploying.standing import THROUGH, Stand, Standing, standings
from isthmus.govern.migrations.script import Script
from isthmus.govern.sql.statements import SqlFault, Statement
from isthmus.govern.sql.transactions import stands_alone
from isthmus.state.schema_history import read_history

Kind = Literal["applied", "step", "again", "forget"]
_POSSIBLE: dict[Stand, tuple[Kind, ...]] = {
    "half-run": ("step", "applied", "again"),
    "settled": ("step", "applied", "again"),
    "failed": ("applied", "again"),
    "pending": ("applied",),
    "out-of-order": ("applied",),
    "changed": ("applied",),
    "missing": ("forget",),
    "applied": ("again",),
    "baseline": ("again",),
}
_WHY_NOTHING: dict[Stand, str] = {
    "applied": "It was rolled back by hand: nothing",
    "baseline": "Whatever was said of it, nothing",
}
_SECRET = re.compile(r"(password\s+)('(?:[^']|'')*'|\$\$.*?\$\$)", re.IGNORECASE | re.DOTALL)
_INVALID = """
SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relkind = 'i'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
ORDER BY 1
"""


@dataclass(frozen=True)
class InHand:
    """The statement at which a migration without a transaction stopped.

    Attributes:
        number: From 1.
        line: Where it begins, from 1.
        text: Its text, without passwords.
        is_undone: Whether nothing of it is there for certain: the server refused it, and it is all or nothing.
    """

    number: int
    line: int
    text: str
    is_undone: bool


@dataclass(frozen=True)
class Situation:
    """What there is to settle.

    Attributes:
        standing: Where the migration stands.
        in_hand: Of a half-run one, unless it stopped behind its last statement.
        is_other_text: Whether the file was changed since the migration was begun.
        possible: Which answers there are.
        invalid_indexes: Indexes of the database that were not built to their end, each with its table.
    """

    standing: Standing
    in_hand: InHand | None
    is_other_text: bool
    possible: tuple[Kind, ...]
    invalid_indexes: tuple[tuple[str, str], ...] = ()

    def answers(self) -> list[tuple[str, str]]:
        """Return every answer: what it says, and the option that says it."""
        found: list[tuple[str, str]] = []
        if "step" in self.possible and self.in_hand is not None and self.standing.script is not None:
            number = self.in_hand.number
            if number > 1:
                found.append(
                    (f"Nothing of statement {number} is there: the next deploy begins with it", f"--step {number - 1}")
                )
            if not self.in_hand.is_undone and number < len(self.standing.script.statements):
                found.append((f"Statement {number} is through: the next deploy goes on behind it", f"--step {number}"))
        if "again" in self.possible:
            how = _WHY_NOTHING.get(self.standing.stand, "Nothing")
            found.append((f"{how} of it is in the database: the next deploy begins anew", "--again"))
        if "applied" in self.possible:
            what = "what the file says now" if self.standing.stand == "changed" else "all of it"
            found.append((f"The database has {what}", "--applied"))
        if "forget" in self.possible:
            found.append(("It is gone for good: the history forgets it, and the database stays as it is", "--forget"))
        return found

    def sentences(self) -> list[str]:
        """Say what is known, for people."""
        one, there = self.standing, self.standing.applied
        found: list[str] = []
        if one.misfit is not None:
            found.append(one.misfit[0])
        if there is not None and one.stand in {"half-run", "settled", "running"}:
            begun = f"{there.started_at:%Y-%m-%d %H:%M:%S} UTC"
            through = f"{there.steps_done} of its {there.steps} statements are through"
            found.append(f"It was begun {begun}; {through}, as the history has it.")
            if self.in_hand is None:
                found.append("All are through; only the last word was not written down.")
            elif one.stand == "running":
                found.append(f"Statement {self.in_hand.number} is executed now:")
            elif one.stand == "settled":
                found.append(f"On a person's word the next deploy goes on at statement {self.in_hand.number}:")
            elif self.in_hand.is_undone:
                found.append(f"The server refused statement {self.in_hand.number}, and nothing of it is there:")
            else:
                found.append(
                    f"Statement {self.in_hand.number} was in hand. Look in the database whether it is through, in part"
                    " or at all:"
                )
        if self.is_other_text and self.in_hand is not None:
            found.append("The file was changed since: numbers of statements are those of the file as it is now.")
        if one.stand in THROUGH and not self.possible:
            found.append("There is nothing to settle.")
        return found

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        in_hand = self.in_hand
        return {
            **self.standing.as_json(),
            "in_hand": None
            if in_hand is None
            else {
                "statement": in_hand.number,
                "line": in_hand.line,
                "text": in_hand.text,
                "is_undone": in_hand.is_undone,
            },
            "is_other_text": self.is_other_text,
            "possible": list(self.possible),
            "invalid_indexes": [{"index": index, "table": table} for index, table in self.invalid_indexes],
        }


def find_situation(
    connection: psycopg.Connection, title: str, scripts: Sequence[Script], name: str, *, at_work: bool = False
) -> Situation:
    """Look what there is to settle of a migration. Reads only.

    Args:
        connection: In autocommit mode.
        title: What the settings call the schema.
        scripts: All its migrations.
        name: The migration.
        at_work: Whether a session executes a migration now.

    Raises:
        ConfigError: Neither folder nor history know the name (code `unknown-migration`).
    """
    every = standings(scripts, read_history(connection, title), at_work=at_work)
    one = next((one for one in every if one.name == name), None)
    if one is None:
        raise ConfigError(
            f"Neither the folder nor the history knows a migration {name}.",
            code="unknown-migration",
            hint="isthmus schema status lists them.",
        )
    in_hand = _in_hand(one)
    asked = in_hand is not None and one.stand != "running" and "INDEX" in in_hand.text.upper()
    invalid = connection.execute(_INVALID).fetchall() if asked else []
    return Situation(
        one,
        in_hand,
        _is_other_text(one),
        _possible(one, every),
        tuple((str(index), str(table)) for index, table in invalid),
    )


def _possible(one: Standing, every: Sequence[Standing]) -> tuple[Kind, ...]:
    if one.stand in THROUGH and not _is_newest(one, every) and not _is_on_my_word(one):
        return ()
    return _POSSIBLE.get(one.stand, ())


def _is_newest(one: Standing, every: Sequence[Standing]) -> bool:
    """Tell whether a migration is the last that the database has."""
    return [other.name for other in every if other.stand in THROUGH][-1:] == [one.name]


def _is_on_my_word(one: Standing) -> bool:
    """Tell whether nobody but a person says that a migration of the baseline is there; that may be taken back."""
    return one.stand == "baseline" and one.applied is not None and one.applied.on_word_of == "person"


def _is_other_text(one: Standing) -> bool:
    there, script = one.applied, one.script
    return there is not None and script is not None and not script.is_text_of(there.checksum)


def _in_hand(one: Standing) -> InHand | None:
    there, script = one.applied, one.script
    if one.stand not in {"half-run", "settled", "running"} or there is None or script is None:
        return None
    if there.steps_done >= len(script.statements):
        return None
    statement = script.statements[there.steps_done]
    alone = script.as_one_text or stands_alone(statement) is not None
    refused = there.state == "failed" and not alone and not _is_other_text(one)
    return InHand(there.steps_done + 1, statement.line, _shown(statement), refused or one.stand == "settled")


def _shown(statement: Statement) -> str:
    text = statement.text
    try:
        found = statement.tokens
    except SqlFault:  # one of the baseline that cannot be cut up
        found = []
    for before, one in pairwise(found):
        if before.word == "PASSWORD" and one.kind == "text" and len(one.text) > len("''"):
            text = text.replace(one.text, HIDDEN)
    return hide(_SECRET.sub(rf"\1{HIDDEN}", text))
