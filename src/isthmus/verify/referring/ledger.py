"""The orphan ledger against the rows it speaks of: what was set to NULL or left out is, and what stays is there.

Blind spots: orphans for which a document became a dead letter (its rows are counted elsewhere); of rows that were
joined into others, whose values may have come from those; of tables that held rows before, or that keep no ids; the
values of references by another field, for the ledger has them as the documents do.
"""

from __future__ import annotations

from psycopg import sql

from isthmus.verify.looking import Fault, Looking, key_column, of_row, position_columns
from isthmus.verify.referring.places import Place
from isthmus.verify.result import ColumnCheck
from isthmus.work.hidden import HIDDEN

_MAY_SAY_OTHERWISE = (
    "The tables existed before: a row that was there, was kept, or came with an earlier copy may rightly say something"
    " else than the ledger of this one."
)


def check_ledger(looking: Looking, place: Place, *, sure: bool) -> None:
    """Enter the orphans of a place whose rows say otherwise than the ledger.

    Args:
        looking: Asks the target.
        place: The place.
        sure: Whether all rows, and all that they may point at, came with the run.
    """
    listed, letters = looking.row(
        sql.SQL(
            "SELECT count(*) FILTER (WHERE o.action <> 'dead_letter'), count(*) FILTER (WHERE o.action = 'dead_letter')"
            " FROM {}"
        ).format(_orphans(looking, place))
    )
    if not listed and not letters:
        return
    check = ColumnCheck(place.table.name, f"{place.path} (orphans)", listed, 0, letters)
    check.why = "The documents of these are dead letters, so they have no rows." if letters else ""
    looking.result.columns.append(check)
    if not sure:
        check.compared, check.left_out = 0, listed + letters
        check.why = _MAY_SAY_OTHERWISE
        return
    if place.table.kind != "junction" and key_column(place.table) is None:
        check.compared, check.left_out = 0, listed + letters
        check.why = "The table keeps no ids, so the rows that the ledger speaks of cannot be found."
        return
    looking.result.checked += listed
    with looking.at(place.table.name, place.path):
        if place.shape == "pair":
            _check_pairs(looking, place)
        elif place.shape == "jsonb":
            _check_kept(looking, place)
        else:
            _check_nulls(looking, place)


def _orphans(looking: Looking, place: Place) -> sql.Composed:
    """Return the FROM item of the ledger's rows about a place, as `o`."""
    return sql.SQL(
        "(SELECT * FROM isthmus.orphan WHERE run_id = {run} AND table_name = {table} AND column_name = {path}) o"
    ).format(
        run=sql.Literal(looking.subject.run.id),
        table=sql.Literal(place.table.name),
        path=sql.Literal(place.path),
    )


# What became part of another row, or took parts of others in, may say something else rightly.
_NOT_JOINED = sql.SQL(
    # a state that an older version wrote has no column of derived ids
    "NOT EXISTS (SELECT FROM isthmus.id_map m WHERE m.origin = 'merged'"
    " AND o.row_id IN (to_jsonb(m) ->> 'derived_id', m.id))"
)


def _check_nulls(looking: Looking, place: Place) -> None:
    """Columns, routes and arrays: what was set to NULL is, and what was left out is not there."""
    table, positions = place.table, [of_row(name) for name in position_columns(place.table)]
    depth = len(positions)
    at = sql.SQL("NULL::integer[]").format()
    if depth:
        at = sql.SQL("ARRAY[{}]::integer[]").format(sql.SQL(", ").join(positions))
    same = sql.SQL("r.k = o.row_id")
    if depth:
        same = sql.SQL("r.k = o.row_id AND r.p = o.row_position[1:{}]").format(sql.Literal(depth))
    if place.shape == "array":
        wrong = sql.SQL(
            "CASE o.action WHEN 'null' THEN r.v[o.row_position[{last}] + 1] IS NOT NULL WHEN 'drop' THEN {dropped} END"
        ).format(
            last=sql.Literal(depth + 1),
            dropped=sql.SQL("false" if place.as_met else "o.target_id = ANY(r.v)"),
        )
        value = sql.SQL("{}::text[]").format(of_row(place.columns[0]))
        shown = sql.SQL("r.v::text")
    else:
        wrong = sql.SQL("r.v IS NOT NULL")
        value, shown = sql.SQL("({})::text").format(place.value), sql.SQL("r.v")
    rows = sql.SQL("(SELECT {}::text AS k, {} AS p, {} AS v, true AS there FROM {} r) r").format(
        of_row(key_column(table) or ""), at, value, looking.place(table.name)
    )
    source = sql.SQL("{} LEFT JOIN {} ON {}").format(_orphans(looking, place), rows, same)
    _enter(
        looking,
        place,
        source,
        sql.SQL("o.action IN ('null', 'drop') AND r.there AND {}").format(wrong),
        shown,
        "The ledger says that this reference pointed at nothing and was taken away, but it is there.",
        None if place.shape == "array" else "NULL",
    )
    _enter(
        looking,
        place,
        source,
        sql.SQL("o.action IN ('null', 'drop') AND r.there IS NULL"),
        sql.SQL("NULL::text"),
        "The ledger names a reference of this row that pointed at nothing, but there is no such row.",
        "a row",
    )


def _check_pairs(looking: Looking, place: Place) -> None:
    """Junctions: a pair that was left out is not there."""
    if place.as_met:
        return
    own = next(name for name in place.table.primary_key if name != place.path)
    source = sql.SQL("{} JOIN {} r ON r.{}::text = o.row_id AND r.{}::text = o.target_id").format(
        _orphans(looking, place), looking.place(place.table.name), sql.Identifier(own), sql.Identifier(place.path)
    )
    message = "The ledger says that this pair pointed at nothing and was left out, but it is there."
    _enter(looking, place, source, sql.SQL("o.action = 'drop'"), sql.SQL("o.target_id"), message, None)


def _check_kept(looking: Looking, place: Place) -> None:
    """Inside jsonb: an id that stays as it is stands there."""
    values = sql.SQL("(SELECT {}::text AS k, {} AS v FROM {}) v").format(
        of_row(key_column(place.table) or ""), place.value, place.source
    )
    wrong = sql.SQL(
        "o.action = 'kept' AND NOT EXISTS (SELECT FROM {} WHERE v.k = o.row_id AND v.v = o.target_id)"
    ).format(values)
    message = "The ledger says that this id points at nothing and stays as it is, but it is not there."
    _enter(looking, place, _orphans(looking, place), wrong, sql.SQL("NULL::text"), message, "the id")


def _enter(
    looking: Looking,
    place: Place,
    source: sql.Composable,
    wrong: sql.Composable,
    value: sql.Composable,
    message: str,
    expected: str | None,
) -> None:
    (count,) = looking.row(sql.SQL("SELECT count(*) FROM {} WHERE {} AND {}").format(source, wrong, _NOT_JOINED))
    text = sql.Literal(HIDDEN) if place.sensitive else sql.SQL("left({}, 200)").format(value)
    name = sql.SQL("concat_ws('/', o.row_id, array_to_string(o.row_position, '/'))")
    if place.shape == "pair":
        name = sql.SQL("concat_ws('/', o.row_id, o.target_id)")
    query = sql.SQL("SELECT {}, o.row_id, {} FROM {} WHERE {} AND {}").format(name, text, source, wrong, _NOT_JOINED)
    # asked only where all rows are the run's
    looking.enter(Fault(place.table.name, place.path, message, expected, query), count, ours=True)
