"""Which table and which collection a switch is made with; whether those that are named are those of before. Pure.

A command is given an address and a name. Either may lead elsewhere than the last time: to another cluster that has a
database of the same name, to a table that was made anew and is empty. What a switch copies it makes equal, so a wrong
one costs documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from isthmus.errors import PolyglotError, Where

_REPLACED = "if it was made anew, by a restore for example, say --replaced."


@dataclass(frozen=True)
class Table:
    """A table of documents.

    Attributes:
        oid: What PostgreSQL knows it by; another one when it is made anew.
        name: Its name with its schema, as SQL has it.
    """

    oid: int
    name: str


@dataclass(frozen=True)
class Place:
    """Where a switch copies from and to. What is not known is None.

    Attributes:
        carrier: What copies: `table NAME`, or `mapping NAME`.
        table: The table; None: the carrier is a mapping.
        database: The database of MongoDB.
        uuid: Of the collection there; another one when it is made anew.
    """

    carrier: str
    table: Table | None = None
    database: str | None = None
    uuid: UUID | None = None


def refuse_other(collection: str, before: Place, named: Place, when: str) -> None:
    """Refuse a place that is not the one of before.

    Args:
        collection: Which.
        before: What is written down.
        named: What the command leads to.
        when: What was done with it then: `was switched with`.

    Raises:
        PolyglotError: Another table, or a mapping in place of one (code `switch-other-table`); another database or
            collection of MongoDB (`switch-other-source`).
    """
    refuse_other_source(collection, before, named, when)
    where = Where(collection=collection, table=named.table.name if named.table else None)
    kinds = [one.carrier.partition(" ")[0] for one in (before, named)]
    if kinds[0] != kinds[1]:
        raise PolyglotError(
            f"The collection {collection} {when} the {before.carrier}, not a {kinds[1]}.",
            code="switch-other-table",
            where=where,
            hint=f"Give --{kinds[0]}.",
        )
    if before.table is None or named.table is None or before.table.oid == named.table.oid:
        return
    words = "that table was made anew since" if before.table.name == named.table.name else "this is another table"
    raise PolyglotError(
        f"The collection {collection} {when} the table {before.table.name}; {words}.",
        code="switch-other-table",
        where=where,
        hint=f"Name the table of then; {_REPLACED}",
    )


def refuse_other_source(collection: str, before: Place, named: Place, when: str) -> None:
    """Refuse a database or collection of MongoDB that is not the one of before.

    Raises:
        PolyglotError: It is another one (code `switch-other-source`).
    """
    if before.database is None:
        return
    if before.database != named.database:
        words = f"the database {before.database}; the address leads to {named.database}"
    elif before.uuid is None or before.uuid == named.uuid:
        return
    elif named.uuid is None:
        words = f"a collection of {before.database} that is not there any more, or not where the address leads"
    else:
        words = f"another collection of this name than the one of {before.database} that the address leads to"
    raise PolyglotError(
        f"The collection {collection} {when} {words}.",
        code="switch-other-source",
        where=Where(collection=collection),
        hint=f"Give the address of the MongoDB of then; {_REPLACED}",
    )
