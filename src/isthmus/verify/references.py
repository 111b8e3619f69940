"""The layer *references*: whatever points at a row points at one that is there, by no foreign key's or index's word.

Columns, arrays, routes, junctions, child rows and ids inside jsonb; the orphan ledger and what waits against the rows
they speak of; how many references there are against the run's books.

Blind spots: a reference that points at another row than the document says (the checksum sees it), pairs that are
missing (the checksum compares them with both sides of the source); what the ledger's and the waiting values' own blind
spots are.
"""

from __future__ import annotations

import time

from isthmus.verify.looking import Looking
from isthmus.verify.referring.alone import is_alone, tables_alone
from isthmus.verify.referring.books import check_books
from isthmus.verify.referring.ledger import check_ledger
from isthmus.verify.referring.pairs import check_pairs
from isthmus.verify.referring.places import places
from isthmus.verify.referring.pointing import check_place
from isthmus.verify.referring.routes import check_route
from isthmus.verify.referring.waiting import check_waiting
from isthmus.verify.result import LayerResult
from isthmus.verify.subject import Subject


def check(subject: Subject) -> LayerResult:
    """Look up every reference of the target in the target."""
    began = time.monotonic()
    result = LayerResult("references", unit="references")
    with subject.another_connection() as connection:
        looking = Looking(subject, connection, result)
        alone = tables_alone(subject)
        everywhere = list(places(subject.mapping, subject.schema))
        for place in subject.progress.counting(everywhere, "places", len(everywhere), even=False):
            sure = is_alone(place, alone)
            check_place(looking, place)
            if place.shape == "route":
                check_route(looking, place, sure=sure)
            if place.shape != "parent":
                check_books(looking, place)
                check_ledger(looking, place, sure=sure)
            if subject.existing:
                check_waiting(looking, place)
        for table in subject.schema.tables.values():
            if table.kind == "junction":
                check_pairs(looking, table)
    result.notes.append(
        "Whether a reference points at the right row, and whether pairs are missing, is the checksum's to see."
    )
    result.seconds = time.monotonic() - began
    return result
