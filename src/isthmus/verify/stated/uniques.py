"""Keys and unique indexes that a mapping states: no two rows have the same, by no index's word."""

from __future__ import annotations

from psycopg import sql

from isthmus.mapping.tables import Table
from isthmus.verify.looking import NOT_OURS, Fault, Looking, label, of_row, owner, shown
from isthmus.verify.result import ColumnCheck
from isthmus.work.amounts import plural


def check_uniques(looking: Looking, table: Table) -> None:
    """Enter the values of each key of a table that several rows have; of junctions the references layer says it."""
    keys: dict[tuple[tuple[str, ...], str | None], None] = {}
    if table.primary_key and table.kind != "junction":
        keys[table.primary_key, None] = None
    keys |= {(index.columns, index.where): None for index in table.indexes if index.unique}
    for columns, where in keys:
        _check(looking, table, columns, where)


def _check(looking: Looking, table: Table, columns: tuple[str, ...], where: str | None) -> None:
    path = ", ".join(columns)
    names = sql.SQL(", ").join(of_row(name) for name in columns)
    filled = sql.SQL("num_nulls({}) = 0").format(names)
    if where is not None:
        condition = sql.SQL(where)  # pyright: ignore[reportArgumentType]  the author's own SQL
        filled += sql.SQL(" AND ({}\n)").format(condition)
    sensitive = any(table.column(name).sensitive for name in columns)
    texts = sql.SQL("concat_ws(', ', {})").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(of_row(name)) for name in columns)
    )
    source = sql.SQL("{} r WHERE {}").format(looking.place(table.name), filled)
    groups = sql.SQL(
        "SELECT min({label}) AS label, min({owner}) AS owner, min({value}) AS value, count(*) AS n FROM {source}"
        " GROUP BY {names} HAVING count(*) > 1"
    ).format(
        label=label(table),
        owner=owner(table),
        value=shown(texts, sensitive=sensitive),
        source=source,
        names=names,
    )
    listed = sql.SQL("SELECT g.label, g.owner, concat_ws(': ', g.n::text || ' rows', g.value) FROM ({}) AS g").format(
        groups
    )
    if looking.subject.existing:  # row by row: others may have the value of one that came with a document
        listed = sql.SQL(
            "SELECT g.label, g.owner, concat_ws(': ', g.n::text || ' rows', g.value) FROM"
            " (SELECT {label} AS label, {owner} AS owner, {value} AS value, count(*) OVER (PARTITION BY {names}) AS n"
            " FROM {source}) g WHERE n > 1"
        ).format(
            label=label(table),
            owner=owner(table),
            value=shown(texts, sensitive=sensitive),
            names=names,
            source=source,
        )
    check = ColumnCheck(table.name, f"{path} (unique)")
    looking.result.columns.append(check)
    with looking.at(table.name, path):
        (check.compared,) = looking.row(sql.SQL("SELECT count(*) FROM {}").format(source))
        looking.result.checked += check.compared
        (wrong,) = looking.row(sql.SQL("SELECT count(*) FROM ({}) AS g").format(groups))
        fault = Fault(
            table.name,
            path,
            "Several rows have the same value of a key that must be unique.",
            "1 row",
            listed,
        )
        _, foreign = looking.enter(fault, wrong)
        if foreign:
            check.left_out, check.why = (
                foreign,
                f"{plural(foreign, 'row has', 'rows have')} a value that others have, too. {NOT_OURS}",
            )
