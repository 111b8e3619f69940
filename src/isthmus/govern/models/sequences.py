"""Sequences, and the columns that draw from them: serial and identity. Pure."""

from __future__ import annotations

import re

from isthmus.govern.catalog.model import Catalog, Key, Properties
from isthmus.govern.models.sql_names import literal, name, within
from isthmus.govern.models.step import Found, Phase
from isthmus.govern.models.view import owned_sequences, unquoted

_SERIAL = {"smallint": "smallserial", "integer": "serial", "bigint": "bigserial"}
_MOST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def serial_of(catalog: Catalog, table: Key, column: str) -> str | None:
    """Return the serial type that makes a column just as it is; None where none does."""
    one = catalog[Key("column", *table[1:3], column)]
    sequences = owned_sequences(catalog, table, column)
    if len(sequences) != 1 or one["identity"] or one["nullable"] or one["collation"]:
        return None
    usual = sequences[0][1:3] == (table.schema, f"{table.name}_{column}_seq")
    draws = str(one["default"] or "").startswith("nextval(")
    plain = catalog[sequences[0]]["type"] == one["type"] and not _unusual(catalog[sequences[0]])
    return _SERIAL.get(str(one["type"])) if usual and draws and plain else None


def identity_options(catalog: Catalog, table: Key, column: str) -> str:
    """Return what stands behind `AS IDENTITY`, with a blank before it; empty where all is as usual."""
    for key in owned_sequences(catalog, table, column):
        parts = _unusual(catalog[key])
        if key[1:3] != (table.schema, f"{table.name}_{column}_seq"):
            parts.insert(0, f"SEQUENCE NAME {within(*key[1:3])}")
        return f" ({' '.join(parts)})" if parts else ""
    return ""


def made(after: Catalog, key: Key) -> str:
    """Return what makes a sequence."""
    options = "".join(f" {one}" for one in _unusual(after[key]))
    return f"CREATE SEQUENCE {within(*key[1:3])} AS {after[key]['type']}{options}"


def behind(sequence: str, table: str, column: str, start: object) -> str:
    """Return what puts a sequence behind the greatest value that is there.

    Args:
        sequence: An expression that names it.
        table: The table, as SQL names it.
        column: The column, as SQL names it.
        start: Where it begins where there is no row.
    """
    return f"SELECT setval({sequence}, greatest(max({column}) + 1, {start}), false) FROM {table}"


def sequences(found: Found, before: Catalog, after: Catalog, *, standing: set[Key]) -> None:
    """Add what makes and changes sequences that are no identity's.

    Args:
        found: What is added to.
        before: What is there.
        after: What is wanted.
        standing: Sequences that come with their column.
    """
    own = [key for key in before if key.kind == "sequence" and _of_identity(before, key)]
    gone = [key for key in before.keys() - after.keys() if key.kind == "sequence" and not _of_identity(before, key)]
    for key in sorted(key for key in after.keys() - before.keys() if key.kind == "sequence" and key not in standing):
        owner = after[key]["owned by"]
        if _of_identity(after, key):
            other = [one for one in own if before[one]["owned by"] == owner and one not in after]
            if other:
                found.add(Phase.ROOM, f"ALTER SEQUENCE {within(*other[0][1:3])} RENAME TO {name(key.name)}")
            continue
        other = [one for one in gone if owner is not None and before[one]["owned by"] == owner]
        if other and other[0].schema == key.schema:
            gone.remove(other[0])
            found.add(Phase.ROOM, f"ALTER SEQUENCE {within(*other[0][1:3])} RENAME TO {name(key.name)}")
            continue
        found.add(Phase.ROOM, made(after, key))
    for key in sorted(key for key in before.keys() & after.keys() if key.kind == "sequence"):
        if _of_identity(after, key) and not _of_identity(before, key):
            found.add(Phase.RULES, f"DROP SEQUENCE {within(*key[1:3])}")
        else:
            _change(found, key, before, after)
    for key in sorted(gone):
        if before[key]["owned by"] is None:
            found.add(Phase.DROPS, f"DROP SEQUENCE {within(*key[1:3])}")
        elif _column(before[key]) in _columns(after):  # an identity may take its name
            found.add(Phase.RULES, f"DROP SEQUENCE {within(*key[1:3])}")


def _change(found: Found, key: Key, before: Catalog, after: Catalog) -> None:
    was, now = before[key], after[key]
    if any(was[one] != now[one] for one in ("type", "start", "increment", "least", "most", "cache", "cycles")):
        parts = [
            f"AS {now['type']} INCREMENT BY {now['increment']} MINVALUE {now['least']} MAXVALUE {now['most']}",
            f"START WITH {now['start']} CACHE {now['cache']} {'CYCLE' if now['cycles'] else 'NO CYCLE'}",
        ]
        found.add(Phase.TABLES, f"ALTER SEQUENCE {within(*key[1:3])} {' '.join(parts)}")
    if was["owned by"] != now["owned by"] and not (_of_identity(before, key) or _of_identity(after, key)):
        found.add(Phase.RULES, f"ALTER SEQUENCE {within(*key[1:3])} OWNED BY {now['owned by'] or 'NONE'}")
        if now["owned by"] is not None and int(now["increment"] or 1) > 0:
            table, column = _halves(str(now["owned by"]))
            place = f"{literal(within(*key[1:3]))}::regclass"
            found.add(Phase.RULES, behind(place, table, column, now["start"]))


def _of_identity(catalog: Catalog, key: Key) -> bool:
    owner = _column(catalog[key])
    return owner is not None and any(
        one.kind == "column" and catalog[one]["identity"] and unquoted(".".join(one[1:])) == owner for one in catalog
    )


def _columns(catalog: Catalog) -> set[str]:
    return {unquoted(".".join(key[1:])) for key in catalog if key.kind == "column"}


def _column(one: Properties) -> str | None:
    return None if one["owned by"] is None else unquoted(str(one["owned by"]))


def _halves(owner: str) -> tuple[str, str]:
    """Return the table and the column of `schema.table.column`, names quoted or not."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^".]+', owner)
    return ".".join(parts[:2]), parts[-1]


def _unusual(one: Properties) -> list[str]:
    kind = str(one["type"])
    falls = int(one["increment"] or 1) < 0
    most = -1 if falls else _MOST.get(kind, 0)
    least = -_MOST.get(kind, 0) - 1 if falls else 1
    usual_start = one["most"] if falls else one["least"]
    parts = [f"START WITH {one['start']}"] if one["start"] != usual_start else []
    parts += [f"INCREMENT BY {one['increment']}"] if one["increment"] != 1 else []
    parts += [f"MINVALUE {one['least']}"] if one["least"] != least else []
    parts += [f"MAXVALUE {one['most']}"] if one["most"] != most else []
    parts += [f"CACHE {one['cache']}"] if one["cache"] != 1 else []
    return [*parts, "CYCLE"] if one["cycles"] else parts
