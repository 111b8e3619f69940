"""What may not stand in a migration because of how it is applied: as one transaction, or statement by statement. Pure.

The rule `transaction` and the deployer ask the same question, so that what one lets through the other does not refuse.
Sources: PostgreSQL documentation, section VI (SQL Commands), "cannot be executed within a transaction block".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from isthmus.govern.sql.statements import SqlFault, Statement, tokens
from isthmus.govern.sql.tables import name_at

NONE_HINT = "Write `-- Transaction: none` into the header, and best nothing else into the migration."
_CONTROL = {"BEGIN", "COMMIT", "END", "ROLLBACK", "ABORT"}
_BEFORE_A_STATEMENT = frozenset({";", "BEGIN", "THEN", "ELSE", "LOOP"})
_ALONE = (
    ("VACUUM",),
    ("CREATE", "DATABASE"),
    ("DROP", "DATABASE"),
    ("CREATE", "TABLESPACE"),
    ("DROP", "TABLESPACE"),
    ("ALTER", "SYSTEM"),
    ("DISCARD", "ALL"),
    ("REINDEX", "DATABASE"),
    ("REINDEX", "SYSTEM"),
    ("REINDEX", "SCHEMA"),
    ("CREATE", "SUBSCRIPTION"),
    ("DROP", "SUBSCRIPTION"),
)

_MAY_STAND_ALONE = frozenset({("CREATE",), ("DROP",), ("REINDEX",), ("ALTER",), ("CLUSTER",)})
"""How further ones begin; others, such as INSERT with all its rows, need not be read."""


@dataclass(frozen=True)
class Misplaced:
    """A statement that cannot stand where it does.

    Attributes:
        line: Where it begins, from 1.
        message: What is wrong.
        hint: What to do.
    """

    line: int
    message: str
    hint: str


def misplaced(statements: Sequence[Statement], *, in_transaction: bool) -> Iterator[Misplaced]:
    """Yield what cannot stand in a migration.

    Args:
        statements: All of it, in order.
        in_transaction: Whether it is applied as one transaction; else statement by statement, each for itself.
    """
    for one in statements:
        control = controls(one)
        if control is not None and in_transaction:
            yield Misplaced(
                one.line,
                f"{control} would end the transaction in which a migration is applied as a whole."
                if one.words[0] not in {"BEGIN", "START"}
                else f"{control} stands inside of the transaction in which a migration is applied as a whole.",
                "Leave it out.",
            )
        elif control is not None:
            yield Misplaced(
                one.line,
                f"{control} in a migration without a transaction: a statement would be written down as done before "
                "it is committed.",
                "Leave it out, and put what belongs together into a migration of its own, which is one transaction.",
            )
        elif in_transaction and (inner := _ends_inside(one)) is not None:
            yield Misplaced(
                one.line,
                f"{inner} inside of a DO block cannot run inside of the transaction in which a migration is applied.",
                NONE_HINT,
            )
        elif in_transaction and (alone := stands_alone(one)) is not None:
            yield Misplaced(one.line, f"{alone} cannot run inside of a transaction.", NONE_HINT)
    if in_transaction:
        yield from _new_values(statements)


def controls(statement: Statement) -> str | None:
    """Return the words by which a statement begins or ends a transaction; None where it does neither."""
    words = statement.words
    if words[:2] in {("START", "TRANSACTION"), ("PREPARE", "TRANSACTION")}:
        return " ".join(words[:2])
    if not words or words[0] not in _CONTROL:
        return None
    if words[0] == "ROLLBACK" and "TO" in words[1:3]:
        return None  # to a savepoint
    return " ".join(words[:2]) if words[1:2] == ("PREPARED",) else words[0]


def _ends_inside(statement: Statement) -> str | None:
    """Return the word by which the body of a DO block ends a transaction; None where it does not."""
    if not statement.begins("DO"):
        return None
    body = next((one.text for one in statement.tokens if one.text.startswith("$")), "")
    tag = body[: body.find("$", 1) + 1]
    try:
        words = [one.word for one in tokens(body.removeprefix(tag).removesuffix(tag))]
    except SqlFault:
        return None  # the server says more
    return next(
        (word for before, word in pairwise(words) if word in {"COMMIT", "ROLLBACK"} and before in _BEFORE_A_STATEMENT),
        None,
    )


def stands_alone(statement: Statement) -> str | None:
    """Return the words for which a statement cannot run inside of a transaction; None where it can."""
    for words in _ALONE:
        if statement.begins(*words):
            return " ".join(words)
    if statement.words[:1] not in _MAY_STAND_ALONE:
        return None
    said = [one.word for one in statement.tokens]
    head = said[: said.index("ON")] if said[:1] == ["CREATE"] and "ON" in said else said
    if said[:1] in (["CREATE"], ["DROP"]) and "INDEX" in said[1:3] and "CONCURRENTLY" in head:
        return f"{said[0]} INDEX CONCURRENTLY"
    if said[:1] == ["REINDEX"] and "CONCURRENTLY" in said:
        return "REINDEX CONCURRENTLY"
    if said[:2] == ["ALTER", "TABLE"] and "DETACH" in said and said[-1] == "CONCURRENTLY":
        return "DETACH PARTITION CONCURRENTLY"
    if said in (["CLUSTER"], ["CLUSTER", "VERBOSE"]):
        return "CLUSTER of all tables"
    if said[:2] == ["ALTER", "DATABASE"] and said[3:5] == ["SET", "TABLESPACE"]:
        return "ALTER DATABASE … SET TABLESPACE"
    return None


def _new_values(statements: Sequence[Statement]) -> Iterator[Misplaced]:
    """Yield uses of an enum value in the transaction that adds it: the server refuses them (ALTER TYPE, Notes)."""
    added: dict[str, int] = {}
    made: set[str | None] = set()
    for one in statements:
        if one.begins("CREATE", "TYPE"):
            made.add(name_at(one.tokens, 2))
        elif one.begins("ALTER", "TYPE"):
            words = {token.word for token in one.tokens}
            if {"ADD", "VALUE"} <= words and name_at(one.tokens, 2) not in made:
                value = next((token.text for token in one.tokens if token.kind == "text"), None)
                if value is not None:
                    added.setdefault(value, one.line)
        elif added and not one.begins("COMMENT"):
            used = next((token.text for token in one.tokens if token.kind == "text" and token.text in added), None)
            if used is not None:
                yield Misplaced(
                    one.line,
                    f"It uses {used}, which line {added[used]} adds to a type: a new value cannot be used in the "
                    "transaction that adds it.",
                    "Put what uses it into a migration behind this one.",
                )
