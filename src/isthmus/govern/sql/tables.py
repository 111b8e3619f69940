"""Which table a statement makes or touches, read from its tokens. Pure.

A table is named `schema.table` as the server has it: words in lower case, names in double quotes as they are, `public`
where no schema is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from isthmus.govern.sql.statements import Statement, Token

_KINDS_OF_TABLE = frozenset({"GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED"})
_BEFORE_A_NAME = frozenset({"IF", "NOT", "EXISTS", "ONLY"})


def made_table(statement: Statement) -> str | None:
    """Return the table that a CREATE TABLE makes; None for other statements, and where it says IF NOT EXISTS, for then
    it may have been there."""
    if not statement.begins("CREATE"):
        return None
    found = statement.tokens
    at = 1
    while at < len(found) and found[at].word in _KINDS_OF_TABLE:
        at += 1
    words = [one.word for one in found[at : at + 4]]
    return name_at(found, at + 1) if words[:1] == ["TABLE"] and words[1:] != ["IF", "NOT", "EXISTS"] else None


def touched_table(statement: Statement) -> str | None:
    """Return the table that an ALTER TABLE, CREATE INDEX or TRUNCATE is about; None for other statements."""
    if statement.begins("ALTER", "TABLE"):
        return name_at(statement.tokens, 2)
    if statement.begins("TRUNCATE"):
        return name_at(statement.tokens, 2 if statement.begins("TRUNCATE", "TABLE") else 1)
    if statement.begins("CREATE") and "INDEX" in statement.words[1:3]:
        words = [one.word for one in statement.tokens]
        return name_at(statement.tokens, words.index("ON") + 1) if "ON" in words else None
    return None


def made_tables(statements: Iterable[Statement], before: Iterable[str] = ()) -> dict[str, int]:
    """Return the tables that statements make, under every name that they give them, each with the place of the
    statement that does so, from 0.

    Args:
        statements: In order.
        before: Tables that count as made before the first one; their place is -1.
    """
    made = dict.fromkeys(before, -1)
    for place, one in enumerate(statements):
        table = made_table(one)
        if table is not None:
            made.setdefault(table, place)
        elif one.begins("ALTER", "TABLE") and (known := touched_table(one)) in made:
            made.setdefault(_renamed(one, known), place)
    return made


def _renamed(statement: Statement, table: str) -> str:
    found = statement.tokens
    words = [one.word for one in found]
    schema, _, _ = table.partition(".")
    if words[-3:-1] == ["RENAME", "TO"]:
        return f"{schema}.{plain(found[-1])}"
    if words[-3:-1] == ["SET", "SCHEMA"]:
        return f"{plain(found[-1])}.{table.partition('.')[2]}"
    return table


def plain(token: Token) -> str:
    """Return a name as the server keeps it."""
    if token.kind == "name":
        return token.text[token.text.index('"') + 1 : -1].replace('""', '"')
    return token.text.lower()


def name_at(found: Sequence[Token], at: int) -> str | None:
    """Return the name that begins at a token, with its schema; None where none begins there."""
    while at < len(found) and found[at].word in _BEFORE_A_NAME:
        at += 1
    parts: list[str] = []
    while at < len(found) and found[at].kind in {"word", "name"}:
        parts.append(plain(found[at]))
        if at + 1 >= len(found) or found[at + 1].word != ".":
            break
        at += 2
    if not parts:
        return None
    return ".".join(parts[-2:]) if len(parts) > 1 else f"public.{parts[0]}"
