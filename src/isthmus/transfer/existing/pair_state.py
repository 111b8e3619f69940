"""Which pairs of junctions copies inserted (`isthmus.pair_state`), so that these are told from pairs of others."""

from __future__ import annotations

from psycopg import sql

from isthmus.mapping import Mapping
from isthmus.transfer.existing.beside import beside_text, digest_of
from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.existing.sides import Sides


def pair_ids(fed: FedTable, alias: str) -> sql.Composed:
    """Return SQL of what a pair is known by: the texts of its columns, in the order of their names."""
    names = sorted(column.name for column in fed.columns)
    texts = sql.SQL(", ").join(sql.SQL("{}.{}::text").format(sql.Identifier(alias), sql.Identifier(n)) for n in names)
    return sql.SQL("ARRAY[{}]").format(texts)


def insert_pairs(sides: Sides, fed: FedTable, pairs: sql.Composable) -> int:
    """Insert the pairs of a query into a junction, remember them where rows of a side are tracked, return how many.

    Args:
        sides: Inside the transaction of a delivery.
        fed: The junction.
        pairs: Query with its columns, in their order; none of them is there yet.
    """
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in fed.columns)
    insert = sql.SQL("INSERT INTO {} AS t ({}) {}").format(sides.real(fed.name), names, pairs)
    if not is_remembered(sides.job.mapping, fed):
        return sides.do(insert)
    return sides.do(sql.SQL("WITH new AS ({} RETURNING t.*) {}").format(insert, remembering(fed, "new")))


def remembering(fed: FedTable, inserted: str) -> sql.Composed:
    """Return the statement that remembers pairs, whole rows of a junction: those of a FROM item."""
    return sql.SQL(
        "INSERT INTO isthmus.pair_state (table_schema, table_name, ids, beside_digest)"
        " SELECT {schema}, {name}, {ids}, {beside} FROM {inserted}"
        " ON CONFLICT (table_schema, table_name, ids) DO UPDATE SET beside_digest = EXCLUDED.beside_digest"
    ).format(
        schema=sql.Literal(fed.there.schema),
        name=sql.Literal(fed.name),
        ids=pair_ids(fed, inserted),
        beside=digest_of(beside_text(fed, inserted)),
        inserted=sql.Identifier(inserted),
    )


def was_there(fed: FedTable, alias: str) -> sql.Composed:
    """Return SQL that is true of pairs that a copy inserted; one that is not there somebody has deleted since."""
    return sql.SQL(
        "EXISTS (SELECT FROM isthmus.pair_state o WHERE o.table_schema = {} AND o.table_name = {} AND o.ids = {})"
    ).format(sql.Literal(fed.there.schema), sql.Literal(fed.name), pair_ids(fed, alias))


def is_remembered(mapping: Mapping, fed: FedTable) -> bool:
    """Tell whether rows of a side of a junction are tracked."""
    references = (column.column.reference for column in fed.columns)
    return any(one is not None and mapping.collections[one.entry].rerun == "tracked" for one in references)
