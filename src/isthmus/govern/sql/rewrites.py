"""Statements that write a whole table anew while nobody may read it. Pure.

Source: PostgreSQL documentation, ALTER TABLE (Notes), VACUUM, CLUSTER. Changes of a type are left to squawk.
"""

from __future__ import annotations

from itertools import pairwise

from isthmus.govern.sql.statements import Statement

_SERIALS = frozenset({"SERIAL", "BIGSERIAL", "SMALLSERIAL", "SERIAL2", "SERIAL4", "SERIAL8"})


def rewrite(statement: Statement) -> str | None:
    """Return what makes a statement write a table anew; None where nothing does."""
    if statement.begins("CLUSTER"):
        return "CLUSTER"
    if not statement.begins("VACUUM") and not statement.begins("ALTER", "TABLE"):
        return None
    words = [one.word for one in statement.tokens]
    if words[0] == "VACUUM":
        return "VACUUM FULL" if "FULL" in words else None
    pairs = set(pairwise(words))
    for kind in ("LOGGED", "UNLOGGED", "TABLESPACE", "ACCESS"):
        if ("SET", kind) in pairs:
            return f"SET {'ACCESS METHOD' if kind == 'ACCESS' else kind}"
    depth, adding = 0, False
    for at, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0 and word in {"ADD", ","}:
            adding = word == "ADD" and words[at + 1 : at + 2] not in (["CONSTRAINT"], ["GENERATED"])
        elif adding and depth == 0 and word in _SERIALS:
            return f"a new column of the type {word.lower()}"
        elif adding and depth == 0 and word == "IDENTITY":
            return "a new identity column"
    return None
