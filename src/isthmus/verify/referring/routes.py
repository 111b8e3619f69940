"""Routes: of the columns of one reference one is set at most, and those that have a field of their own.

Blind spot: whether it is the first alternative that has the id. A document may name the collection itself (a DBRef).
"""

from __future__ import annotations

from psycopg import sql

from isthmus.verify.looking import Fault, Looking, label, of_row, owner, shown
from isthmus.verify.referring.places import Place
from isthmus.verify.result import ColumnCheck
from isthmus.work.amounts import plural

_NOT_FIRST = "Which alternative comes first was not compared: rows that were there have ids of their own."


def check_route(looking: Looking, place: Place, *, sure: bool) -> None:
    """Enter the rows in which a route has no column, or several.

    Args:
        looking: Asks the target.
        place: The route.
        sure: Whether all rows, and all that they may point at, came with the run.
    """
    check = ColumnCheck(place.table.name, f"{place.path} (choice)")
    looking.result.columns.append(check)
    with looking.at(place.table.name, place.path):
        (check.compared,) = looking.row(sql.SQL("SELECT count({}) FROM {}").format(place.value, place.source))
        filled = sql.SQL("num_nonnulls({})").format(sql.SQL(", ").join(of_row(name) for name in place.columns))
        rest = [of_row(name) for name in place.columns if name not in place.own]
        if len(rest) > 1:
            several = sql.SQL("num_nonnulls({}) > 1").format(sql.SQL(", ").join(rest))
            _enter(looking, place, several, "Several columns of one route are set.", "one of them")
        if place.required and sure:
            none = sql.SQL("{} = 0").format(filled)
            _enter(looking, place, none, "No column of a required route is set.", "one of them")
        if sure:
            _count_not_first(looking, place, check)
        else:
            check.left_out, check.why = check.compared, _NOT_FIRST


def _count_not_first(looking: Looking, place: Place, check: ColumnCheck) -> None:
    """Count ids that an alternative before theirs has too: right only where the document names the collection."""
    for number, aim in enumerate(place.aims):
        for before in place.aims[:number]:
            if before.table.column(before.columns[0]).type != aim.table.column(aim.columns[0]).type:
                continue  # ids of several types are never equal
            # the types of columns that were there before may be others than the mapping's
            form = "t.{}::text = {}::text" if looking.subject.existing else "t.{} = {}"
            same = sql.SQL(form).format(sql.Identifier(before.columns[0]), aim.values[0])
            query = sql.SQL("SELECT count(*) FROM {} WHERE EXISTS (SELECT FROM {} t WHERE {})").format(
                place.source, looking.place(before.table.name), same
            )
            (count,) = looking.row(query)
            if count:
                check.left_out += count
                check.why = (
                    f"{check.why} {plural(count, 'id')} in {place.columns[number]} {'is' if count == 1 else 'are'} also"
                    f" in {before.table.name}, which goes before: right where the document names the collection (a"
                    " DBRef), which the checksum knows."
                ).strip()


def _enter(looking: Looking, place: Place, wrong: sql.Composable, message: str, expected: str) -> None:
    (count,) = looking.row(sql.SQL("SELECT count(*) FROM {} WHERE {}").format(place.source, wrong))
    query = sql.SQL("SELECT {}, {}, {} FROM {} WHERE {}").format(
        label(place.table), owner(place.table), shown(place.value, sensitive=place.sensitive), place.source, wrong
    )
    looking.enter(Fault(place.table.name, place.path, message, expected, query), count)
