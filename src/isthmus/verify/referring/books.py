"""How many references there are against the books of the run: one that was taken away later points at nothing wrong.

Blind spots: one taken away and another one made; tables that existed before, whose other rows have references too.
"""

from __future__ import annotations

from typing import Any

from psycopg import sql

from isthmus.verify.looking import Looking
from isthmus.verify.referring.places import Place


def check_books(looking: Looking, place: Place) -> None:
    """Enter a place that holds more or fewer references than the run's books say."""
    books: dict[str, Any] | None = (looking.subject.run.balance or {}).get("references", {}).get(place.name)
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
