"""What is told of rows that were written to since they were carried: columns, what they held, triggers that keep them.

Nobody keeps what a row held: what is known of it are digests. A column that the mapping does not fill got what the
table gives by itself, and so did all other rows of a copy. So where untouched rows all hold one value, it is supposed
of a row that was written to, and the digest proves it, or does not. What the mapping fills, the documents tell
(`isthmus verify`).
"""

from __future__ import annotations

from psycopg import sql

from isthmus.state.statements import statements
from isthmus.transfer.existing.beside import beside_columns, beside_text
from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.existing.row_state import digests
from isthmus.transfer.undoing.referring import PACKAGE
from isthmus.transfer.undoing.result import Differing
from isthmus.transfer.undoing.taking import Taking

_UNTOUCHED = 10_000
"""Most rows that are looked at for what untouched ones hold."""


def update_triggers(taking: Taking, fed: FedTable) -> tuple[str, ...]:
    """Return the triggers of users that fire when rows of a table, or of its child tables, are changed."""
    oids = [one.there.oid for one in (fed, *taking.sides.children_of(fed.name))]
    rows = taking.sides.connection.execute(statements("undo", PACKAGE)["update_triggers"], {"oids": oids}).fetchall()
    return tuple(str(name) for (name,) in rows)


def differing_beside(taking: Taking, fed: FedTable) -> tuple[Differing, ...]:
    """Return which columns that the mapping does not fill were written to, of the rows of which that can be proven.

    Args:
        taking: What is taken back; its rows are judged.
        fed: A root table with rows whose verdict is `beside`.
    """
    sides, same = taking.sides, _same_in_all(taking, fed)
    if not same:
        return ()
    taking.drop("target", fed)
    wanted = sql.SQL("{} AND {} IN (SELECT u.id FROM {} u WHERE u.verdict = 'beside')").format(
        sides.has_row_id(fed), sides.row_id(fed), taking.known(fed)
    )
    digests(sides, fed, "target", wanted, real=True, supposed=beside_text(fed, "t", same))
    found: list[Differing] = []
    for name, carried in same.items():
        count = sides.one(
            sql.SQL(
                "SELECT count(*) FROM {real} t JOIN {digests} d ON d.id = {row_id}"
                " JOIN isthmus.row_state r ON r.table_schema = {schema} AND r.table_name = {name} AND r.id = d.id::text"
                " AND r.beside_digest = d.supposed WHERE t.{column}::text IS DISTINCT FROM {carried}::text"
            ).format(
                column=sql.Identifier(name),
                carried=sql.Literal(carried),
                real=sides.real(fed.name),
                digests=sides.temporary("target", fed.name),
                row_id=sides.row_id(fed),
                schema=sql.Literal(sides.existing.schema),
                name=sql.Literal(fed.name),
            )
        )
        if count:
            found.append(Differing(name, count, carried))
    taking.drop("target", fed)
    return tuple(found)


def _same_in_all(taking: Taking, fed: FedTable) -> dict[str, str | None]:
    """Return the columns that the mapping does not fill and that untouched rows all have one value in, with that."""
    sides, names = taking.sides, beside_columns(fed)
    if not names:
        return {}
    # NULL is a text here, for min and max leave it out
    texts = [sql.SQL("coalesce('=' || r.{}::text, '')").format(sql.Identifier(name)) for name in names]
    row = sides.connection.execute(
        sql.SQL("SELECT {} FROM (SELECT t.* FROM {} t JOIN {} g ON g.id = {} LIMIT {}) AS r").format(
            sql.SQL(", ").join(sql.SQL("CASE WHEN min({0}) = max({0}) THEN min({0}) END").format(one) for one in texts),
            sides.real(fed.name),
            taking.going(fed),
            sides.row_id(fed),
            sql.Literal(_UNTOUCHED),
        )
    ).fetchone()
    found = zip(names, row or (), strict=False)
    return {name: text[1:] if text else None for name, text in found if text is not None}
