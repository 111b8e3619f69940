"""How many references there are against the books of the run: one that was taken away later points at nothing wrong.

In tables that existed before other rows have references, too: there the ledgers are held against the books, so that
none says more than happened. Blind spots: one taken away and another one made.
"""

from __future__ import annotations

from typing import Any

from psycopg import sql

from isthmus.verify.looking import Looking
from isthmus.verify.referring.places import Place

_ORPHANS = sql.SQL(
    "SELECT count(*) FROM isthmus.orphan WHERE run_id = {run} AND table_name = {table} AND column_name = {column}"
    " AND action = {action}"
)
_WAITING = sql.SQL(
    "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM isthmus.pending_reference WHERE run_id = {run}"
    " AND table_schema = {schema} AND table_name = {table} AND column_name = ANY({columns})"
    " GROUP BY column_name) x"
)


def check_books(looking: Looking, place: Place) -> None:
    """Enter a place that holds more or fewer references than the run's books say."""
    books: dict[str, Any] | None = (looking.subject.run.balance or {}).get("references", {}).get(place.name)
    if books is not None and looking.subject.existing:
        _check_ledgers(looking, place, books)
    if looking.subject.existing or books is None or place.shape == "pair":
        return
    expected = books["resolved"] + books["actions"].get("kept", 0)
    with looking.at(place.table.name, place.path):
        (there,) = looking.row(sql.SQL("SELECT count({}) FROM {}").format(place.value, place.source))
        if there != expected:
            looking.result.differs(
                place.table.name,
                place.path,
                "There are not as many references as the run's books say.",
                expected=f"{expected} references",
                actual=f"{there} references",
                times=abs(there - expected),
            )


def _check_ledgers(looking: Looking, place: Place, books: dict[str, Any]) -> None:
    """Enter a place of which the ledgers have other orphans than the books, or more references that wait."""
    subject = looking.subject
    given = {
        "run": subject.run.id,
        "table": place.table.name,
        "column": place.path,
        "columns": [place.path, *place.columns],
    }
    for action in ("null", "drop", "kept"):
        (held,) = looking.row(_ORPHANS.format(action=action, **given))
        _hold(looking, place, f"orphans ({action})", books["actions"].get(action, 0), held)
    (held,) = looking.row(_WAITING.format(schema=subject.schema.schema, **given))
    if held > books["pending"]:  # those that came since wait no more
        _hold(looking, place, "references that wait", books["pending"], held)


def _hold(looking: Looking, place: Place, what: str, counted: int, held: int) -> None:
    if held != counted:
        looking.result.differs(
            place.table.name,
            place.path,
            f"The ledger of {place.name} has not as many {what} as the run's books.",
            expected=f"{counted} {what}",
            actual=f"{held} {what}",
            times=abs(held - counted),
        )
