"""Whether what a place holds is there: anti-joins of its values with what they point at, by no foreign key's word."""

from __future__ import annotations

from psycopg import sql

from isthmus.verify.looking import NOT_OURS, Fault, Looking, label, of_row, owner, shown
from isthmus.verify.referring.places import Aim, Place
from isthmus.verify.result import ColumnCheck


def check_place(looking: Looking, place: Place) -> None:
    """Enter the values of a place that nothing has, and how many there are in all."""
    check = ColumnCheck(place.table.name, place.path)
    looking.result.columns.append(check)
    with looking.at(place.table.name, place.path):
        rows, values = looking.row(sql.SQL("SELECT count(*), count({}) FROM {}").format(place.value, place.source))
        looking.result.checked += values
        check.compared = values
        check.left_out, check.why = rows - values, "NULL points at nothing." if rows > values else ""
        for number, aim in enumerate(place.aims):
            if may_be_accounted(looking, place):
                check.accounted += _count(looking, place, aim, accounted=True)
            check_aim(looking, place, aim, place.columns[number] if place.shape == "route" else place.path, check)


def may_be_accounted(looking: Looking, place: Place) -> bool:
    """Tell whether a ledger may say of values at a place that nothing has them."""
    return place.shape == "jsonb" or (looking.subject.existing and place.shape != "parent")


def check_aim(looking: Looking, place: Place, aim: Aim, path: str, check: ColumnCheck) -> None:
    """Enter the values of a place, or of one column of a route, that one thing it points at has not."""
    wrong = _count(looking, place, aim, accounted=False)
    fault = Fault(
        place.table.name,
        path,
        f"It points at no row of {aim.table.name}.",
        f"a row of {aim.table.name} with that {', '.join(aim.columns)}",
        sql.SQL("SELECT {}, {}, {} FROM {} WHERE {}").format(
            label(place.table),
            _owner(place),
            shown(place.value if place.shape != "route" else aim.values[0], sensitive=place.sensitive),
            place.source,
            _missing(looking, place, aim, accounted=False),
        ),
    )
    _, foreign = looking.enter(fault, wrong)
    if foreign:
        check.left_out += foreign
        check.why = f"{check.why} {foreign:,} {'points' if foreign == 1 else 'point'} at nothing. {NOT_OURS}".strip()


def _owner(place: Place) -> sql.Composable:
    if place.shape != "pair":
        return owner(place.table)
    other = next((name for name in place.table.primary_key if name != place.path), place.path)
    return sql.SQL("{}::text").format(of_row(other))


def _count(looking: Looking, place: Place, aim: Aim, *, accounted: bool) -> int:
    query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
        place.source, _missing(looking, place, aim, accounted=accounted)
    )
    return int(looking.row(query)[0])


def _missing(looking: Looking, place: Place, aim: Aim, *, accounted: bool) -> sql.Composed:
    """Return SQL that is true of values that nothing has; of those that a ledger accounts for, or of the others."""
    as_text = place.as_text or looking.subject.existing
    form = sql.SQL("t.{}::text = {}::text") if as_text else sql.SQL("t.{} = {}")
    same = [form.format(sql.Identifier(name), value) for name, value in zip(aim.columns, aim.values, strict=True)]
    present = [sql.SQL("{} IS NOT NULL").format(value) for value in aim.values]
    missing = sql.SQL("{} AND NOT EXISTS (SELECT FROM {} t WHERE {})").format(
        sql.SQL(" AND ").join(present), looking.place(aim.table.name), sql.SQL(" AND ").join(same)
    )
    if not may_be_accounted(looking, place):
        return missing
    known = sql.SQL("({})").format(sql.SQL(" OR ").join(_excuses(looking, place)))
    return sql.SQL("{} AND {}{}").format(missing, sql.SQL("" if accounted else "NOT "), known)


def _excuses(looking: Looking, place: Place) -> list[sql.Composable]:
    excuses: list[sql.Composable] = [_kept(looking, place), _waits(looking, place)]
    if place.shape == "jsonb" and looking.subject.existing:
        # what only looks like the id that a matched document would have had stays as it is
        excuses.append(
            sql.SQL(
                "EXISTS (SELECT FROM isthmus.id_map m WHERE m.origin = 'matched' AND m.derived_id = {}::text)"
            ).format(place.value)
        )
    return excuses


def _kept(looking: Looking, place: Place) -> sql.Composed:
    """Return SQL that is true of values that the orphan ledger says stay as they are."""
    return sql.SQL(
        "EXISTS (SELECT FROM isthmus.orphan o WHERE {run} AND o.table_name = {table}"
        " AND o.column_name = {path} AND o.action = 'kept' AND o.row_id = {owner} AND o.target_id = {value}::text)"
    ).format(
        run=sql.SQL("o.run_id = {}").format(sql.Literal(looking.subject.run.id))
        if not looking.subject.existing
        else sql.SQL("true"),  # a row may have come with an earlier run
        table=sql.Literal(place.table.name),
        path=sql.Literal(place.path),
        owner=owner(place.table),
        value=place.value,
    )


def _waits(looking: Looking, place: Place) -> sql.Composed:
    """Return SQL that is true of values that wait for a later copy and stand in the column meanwhile."""
    return sql.SQL(
        "EXISTS (SELECT FROM isthmus.pending_reference w WHERE w.table_schema = {schema} AND w.table_name = {table}"
        " AND w.column_name = {path} AND w.row_id = {owner} AND w.target_id = {value}::text)"
    ).format(
        schema=sql.Literal(looking.schema.schema),
        table=sql.Literal(place.table.name),
        path=sql.Literal(place.path),
        owner=_owner(place),
        value=place.value,
    )
