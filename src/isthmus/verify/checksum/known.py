"""What the ledgers say of rows, as the checksum must know it beforehand: orphans, routes, and joined documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import psycopg

from isthmus.verify.checksum.routes import read_routes
from isthmus.verify.checksum.sides import Compared, Known, Sides
from isthmus.verify.joined import JOINED
from isthmus.verify.orphans import Orphan

_JOINED = f"SELECT collection, derived_id, id FROM {JOINED} j ORDER BY 1, 2"


def read_known(
    connection: psycopg.Connection[Any],
    orphans: Iterable[Orphan],
    sides: Sides,
    left: Mapping[str, Mapping[str, str]],
) -> Known:
    """Tell which references were set to null, which rows must be left to the oracle because of their orphans, and
    which ids became or stand for others.

    A table of which neither can be said is left to the oracle as a whole, in `sides`.

    Args:
        connection: The target.
        orphans: Those to believe.
        sides: What is compared.
        left: See `joined.left_together`.
    """
    known = Known(routes=read_routes(connection, sides))
    for root, pairs in left.items():
        known.translations.setdefault(root, []).extend(pairs.items())
    for collection, derived, row_id in connection.execute(_JOINED):
        for root in sides.roots_of(collection):
            known.translations.setdefault(root, []).append((derived, row_id))
            if root not in sides.by_hand:
                known.left_out.setdefault(root, set()).update((derived, row_id))
    for one in orphans:
        compared = sides.tables.get(one.table)
        if compared is None or compared.table.kind == "junction":
            continue  # pairs are accounted for where they are compared
        root = sides.root_of(compared.table)
        column = _routes(compared).get(one.column, one.column)
        kind = next((there.type for there in compared.columns if there.name == column), None)
        key = _key(compared)
        if one.doubtful and compared.owner is not None:
            known.left_out.setdefault(root, set()).add(one.row_id)
        elif kind is not None and not kind.array and key is not None and not one.doubtful:
            known.nulls[one.table, column] += 1
        elif kind is not None and kind.array and compared.owner is not None and one.positions:
            known.elements[one.table, column] += 1
        elif compared.owner is not None:
            known.left_out.setdefault(root, set()).add(one.row_id)
        else:
            sides.leave_to_oracle(
                root, "references in it lead nowhere, and it keeps no id by which the ledger names it"
            )
    return known


def _routes(compared: Compared) -> dict[str, str]:
    """Return the ledger's name of each route → its first column, as which it is compared."""
    routed = {one.reference.routed for one in compared.columns if one.reference is not None and one.reference.routed}
    return {"|".join(names): names[0] for names in routed}


def _key(compared: Compared) -> tuple[str, ...] | None:
    """Return the key of a table where it is what the ledger names rows by: the document's id and positions."""
    return compared.key if tuple(_row_key(compared)) == compared.key else None


def _row_key(compared: Compared) -> Iterator[str]:
    for column in compared.columns:
        if column.role in {"id", "root_id", "ancestor_position", "position"}:
            yield column.name
