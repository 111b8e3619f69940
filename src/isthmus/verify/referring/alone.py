"""Tables whose rows all came with the run that is verified: of these the ledgers' word holds for every row.

Those that Isthmus made, and those that were there before and held no rows when the run was delivered, as it noted then.

Blind spot: rows that somebody wrote since; they have no part in the run's ledgers.
"""

from __future__ import annotations

from isthmus.state.checkpoints import EMPTY_BEFORE, read_tallies
from isthmus.verify.referring.places import Place
from isthmus.verify.subject import Subject

_VERDICT = "verdict-"


def tables_alone(subject: Subject) -> frozenset[str]:
    """Return the names of such tables. Of runs of an older version none that was there before is known."""
    if not subject.existing:
        return frozenset(subject.schema.tables)
    tallies = read_tallies(subject.connection, subject.run.id)
    # dead letters that were tried again may have met rows that came after the delivery
    met = {name for kind, amounts in tallies.items() if kind.startswith(_VERDICT) for name in amounts}
    return frozenset(
        table.name
        for table in subject.schema.tables.values()
        if table.name in tallies.get(EMPTY_BEFORE, {}) and not met & set(subject.schema.root_of(table).collections)
    )


def is_alone(place: Place, alone: frozenset[str]) -> bool:
    """Tell whether the rows of a place, and all that they may point at, came with the run."""
    return {place.table.name, *(aim.table.name for aim in place.aims)} <= alone
