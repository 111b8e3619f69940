"""Columns: added, changed, dropped. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from isthmus.govern.catalog.model import Catalog, Key, Properties, columns
from isthmus.govern.models.sequences import behind, identity_options, made, serial_of
from isthmus.govern.models.sql_names import literal, name
from isthmus.govern.models.step import WRITTEN_ANEW, Found, Phase, Style
from isthmus.govern.models.view import column_text, kept_tables, owned_sequences, table_name, tables

Casts = Callable[[str, str], str | None]
"""How values of one type become another's: empty by themselves, else what stands behind USING with `{}`; None: not."""
_STEADY = frozenset(
    {
        "now",
        "timezone",
        "date_trunc",
        "lower",
        "upper",
        "to_char",
        "to_timestamp",
        "make_interval",
        "make_date",
        "jsonb_build_object",
        "jsonb_build_array",
        "json_build_object",
        "json_build_array",
        "array",
    }
)
_WIDER = {
    "smallint": {"integer", "bigint", "numeric", "text"},
    "integer": {"bigint", "numeric", "text"},
    "bigint": {"numeric", "text"},
    "real": {"double precision"},
    "date": {"timestamp without time zone", "text"},
    "boolean": {"text"},
    "uuid": {"text"},
}


def column_of(catalog: Catalog, table: Key, column: str, *, nullable: bool | None = None) -> str:
    """Return a column as CREATE TABLE and ADD COLUMN take it; arguments as of `column_text`."""
    one = catalog[Key("column", *table[1:3], column)]
    text = column_text(column, one, serial=serial_of(catalog, table, column), nullable=nullable)
    if one["identity"]:
        return text.replace(" AS IDENTITY", f" AS IDENTITY{identity_options(catalog, table, column)}", 1)
    return text


def new_columns(found: Found, before: Catalog, after: Catalog, style: Style) -> None:
    """Add what adds columns to tables that are there."""
    for table in kept_tables(before, after):
        there = columns(before, *table[1:3])
        for column, one in columns(after, *table[1:3]).items():
            if column not in there:
                _add(found, after, table, column, one, style)


def changed_columns(found: Found, before: Catalog, after: Catalog, style: Style, casts: Casts) -> None:
    """Add what changes columns."""
    for table in kept_tables(before, after):
        there = columns(before, *table[1:3])
        for column, now in columns(after, *table[1:3]).items():
            if column in there:
                _change(found, after, table, column, there[column], now, style, casts)


def gone_columns(found: Found, before: Catalog, after: Catalog) -> None:
    """Add what drops columns; those that are computed from others go first."""
    for table in kept_tables(before, after):
        kept = columns(after, *table[1:3])
        gone = {column: one for column, one in columns(before, *table[1:3]).items() if column not in kept}
        for column in sorted(gone, key=lambda one: (not gone[one]["generated"], one)):
            lost = None if gone[column]["generated"] else f"the values of {table_name(table)}.{name(column)}"
            found.add(Phase.DROPS, f"ALTER TABLE {table_name(table)} DROP COLUMN {name(column)}", loses=lost)


def own_sequences(after: Catalog, before: Catalog) -> set[Key]:
    """Return the sequences that come with a serial column that is new."""
    return {
        key
        for table in tables(after)
        for column in columns(after, *table[1:3])
        if Key("column", *table[1:3], column) not in before and serial_of(after, table, column) is not None
        for key in owned_sequences(after, table, column)
    }


def must_be_given(one: Properties) -> bool:
    """Tell whether rows that are there have no value for a column that is new, and must have one."""
    return not (one["nullable"] or one["generated"] or one["identity"]) and one["default"] is None


def is_volatile(expression: str) -> bool:
    """Tell whether a default may be another one for each row, so that adding a column with it writes all rows."""
    plain = re.sub(r"E?'(?:[^'\\]|''|\\.)*'", "''", expression)
    plain = re.sub(r"::[\w\s.\"]+(?:\(\d+(?:,\s*\d+)?\))?", "", plain)
    return any(one.lower() not in _STEADY for one in re.findall(r"([\w.\"]+)\s*\(", plain))


def temporary_rule(column: str) -> str:
    """Return the name of the CHECK by which a column becomes NOT NULL without a long lock."""
    return f"{column[:40]}_is_not_null"


def _add(found: Found, after: Catalog, table: Key, column: str, one: Properties, style: Style) -> None:
    start = f"ALTER TABLE {table_name(table)}"
    serial = serial_of(after, table, column)
    if serial is not None or one["identity"] or str(one["generated"] or "").endswith("stored"):
        note = style.warning(WRITTEN_ANEW)
        found.add(Phase.TABLES, f"{start} ADD COLUMN {column_of(after, table, column)}", note=note)
        return
    default = one["default"]
    if style.careful and default is not None and is_volatile(str(default)):
        bare = {**one, "default": None}
        found.add(
            Phase.TABLES,
            f"{start} ADD COLUMN {column_text(column, bare, nullable=True)}",
            note="Its default comes after it: with it, the whole table would be written anew under a lock.",
            later=f"UPDATE {table_name(table)} SET {name(column)} = DEFAULT WHERE {name(column)} IS NULL",
        )
        found.add(Phase.TABLES, f"{start} ALTER COLUMN {name(column)} SET DEFAULT {default}")
        return
    if style.careful and must_be_given(one):
        full = f"{table_name(table)}.{name(column)}"
        note = f"Rows that are there need a value in {full}: write the UPDATE that gives them one below."
        found.add(Phase.TABLES, f"{start} ADD COLUMN {column_text(column, one, nullable=True)}", note=note)
        return
    found.add(Phase.TABLES, f"{start} ADD COLUMN {column_of(after, table, column)}")


def _change(
    found: Found,
    after: Catalog,
    table: Key,
    column: str,
    was: Properties,
    now: Properties,
    style: Style,
    casts: Casts,
) -> None:
    start = f"ALTER TABLE {table_name(table)} ALTER COLUMN {name(column)}"
    default = was["default"]
    if was["type"] != now["type"] and casts(str(was["type"]), str(now["type"])) is None:
        place = f"{table_name(table)}.{name(column)}"
        found.left.append(
            f"column {place} has values of {was['type']} that do not become {now['type']} by themselves: write how by"
            " hand, with USING."
        )
        return
    if was["generated"] != now["generated"]:
        if now["generated"] is None and str(was["generated"]).endswith("virtual"):
            _keep_computed(found, table, column, now)
            return
        if now["generated"] is None:
            found.add(Phase.TABLES, f"{start} DROP EXPRESSION")
        else:
            found.add(
                Phase.TABLES,
                f"ALTER TABLE {table_name(table)} DROP COLUMN {name(column)}",
                loses=None if was["generated"] else f"the values of {table_name(table)}.{name(column)}",
            )
            text = f"ALTER TABLE {table_name(table)} ADD COLUMN {column_of(after, table, column)}"
            found.add(Phase.TABLES, text, note=style.warning(WRITTEN_ANEW))
            return
    if was["identity"] and not now["identity"]:
        found.add(Phase.TABLES, f"{start} DROP IDENTITY")
        for key in owned_sequences(after, table, column):  # its own went with it
            found.add(Phase.TABLES, made(after, key))
    if (was["type"], was["collation"]) != (now["type"], now["collation"]):
        if default is not None:
            found.add(Phase.TABLES, f"{start} DROP DEFAULT")
            default = None
        _change_type(found, table, column, was, now, style, casts)
    if default != now["default"]:
        how = "DROP DEFAULT" if now["default"] is None else f"SET DEFAULT {now['default']}"
        found.add(Phase.TABLES, f"{start} {how}")
    if now["nullable"] and not was["nullable"]:
        found.add(Phase.TABLES, f"{start} DROP NOT NULL")
    elif was["nullable"] and not now["nullable"]:
        _forbid_null(found, table, column, style)
    if now["identity"] and not was["identity"]:
        options = identity_options(after, table, column)
        found.add(Phase.RULES, f"{start} ADD GENERATED {str(now['identity']).upper()} AS IDENTITY{options}")
        one = after[owned_sequences(after, table, column)[0]]
        if int(one["increment"] or 1) > 0:
            place = f"pg_get_serial_sequence({literal(table_name(table))}, {literal(column)})"
            found.add(Phase.RULES, behind(place, table_name(table), name(column), one["start"]))
    elif was["identity"] != now["identity"] and now["identity"]:
        found.add(Phase.TABLES, f"{start} SET GENERATED {str(now['identity']).upper()}")


def _keep_computed(found: Found, table: Key, column: str, now: Properties) -> None:
    """Add what makes a column of one that is computed whenever it is read: its values have to be written first."""
    start, held = f"ALTER TABLE {table_name(table)}", f"{column[:58]}_new"
    found.add(Phase.TABLES, f"{start} ADD COLUMN {column_text(held, now, nullable=True)}")
    found.add(Phase.TABLES, f"UPDATE {table_name(table)} SET {name(held)} = {name(column)}")
    found.add(Phase.TABLES, f"{start} DROP COLUMN {name(column)}")
    found.add(Phase.TABLES, f"{start} RENAME COLUMN {name(held)} TO {name(column)}")


def _change_type(
    found: Found, table: Key, column: str, was: Properties, now: Properties, style: Style, casts: Casts
) -> None:
    place = f"{table_name(table)}.{name(column)}"
    old, new = str(was["type"]), str(now["type"])
    using = casts(old, new)
    text = f"ALTER TABLE {table_name(table)} ALTER COLUMN {name(column)} TYPE {new}"
    if now["collation"]:
        text += f" COLLATE {now['collation']}"
    if using:
        text += f" USING {using.format(name(column))}"
    free = _is_free(old, new) and was["collation"] == now["collation"]
    note = "It may write the whole table anew, and nobody can use it meanwhile."
    if free:
        note = "It changes nothing but the catalog, which the rule dangerous-ddl/changing-column-type does not know."
    lost = None if _is_wider(old, new) else f"what values of {place} lose on the way from {old} to {new}"
    found.add(Phase.TABLES, text, note=style.warning(note), loses=lost)


def _forbid_null(found: Found, table: Key, column: str, style: Style) -> None:
    start = f"ALTER TABLE {table_name(table)}"
    if not style.careful:
        found.add(Phase.ONLINE, f"{start} ALTER COLUMN {name(column)} SET NOT NULL")
        return
    rule = name(temporary_rule(column))
    found.add(
        Phase.RULES,
        f"{start} ADD CONSTRAINT {rule} CHECK ({name(column)} IS NOT NULL) NOT VALID",
        note="It holds for new rows at once; those that are there are looked at without a lock that lasts.",
    )
    found.add(Phase.ONLINE, f"{start} VALIDATE CONSTRAINT {rule}")
    found.add(Phase.ONLINE, f"{start} ALTER COLUMN {name(column)} SET NOT NULL")
    found.add(Phase.ONLINE, f"{start} DROP CONSTRAINT {rule}")


def _length(text: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"(character varying|character|varchar)(?:\((\d+)\))?", text)
    return (found[1], int(found[2]) if found[2] else None) if found else (text, None)


def _is_free(old: str, new: str) -> bool:
    """Tell whether the server changes nothing but the catalog."""
    (kind, length), (other, more) = _length(old), _length(new)
    if kind == "character varying":
        return other == "text" or (other == kind and (more is None or (length is not None and more >= length)))
    return (old, new) == ("text", "character varying")


def _is_wider(old: str, new: str) -> bool:
    (kind, length), (other, more) = _length(old), _length(new)
    if kind in {"character varying", "character"} and other in {"character varying", "text"}:
        return other == "text" or more is None or (length is not None and more >= length)
    return old == new or new in _WIDER.get(old, ()) or (old, new) == ("text", "character varying")
