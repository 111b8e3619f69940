"""Ids that documents hold in a second field of a route: read out of extras, and derived as the core does it.

A field that a route passes over stays in extras, as Extended JSON; so the id it holds can be made at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bson
import psycopg
from bson import DatetimeConversion, json_util
from bson.dbref import DBRef
from bson.errors import BSONError
from psycopg import sql

from isthmus._rust import IdCodec
from isthmus.errors import ConversionError

OWN_IDS = sql.Identifier("pg_temp", "isthmus_own_id")
"""The table of `lay_out_own_ids`: `value`, the Extended JSON as `jsonb` prints it, and `id`, as text."""

_OPTIONS = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_PAGE = 10_000


def lay_out_own_ids(
    connection: psycopg.Connection[Any],
    values: sql.Composable,
    codec: IdCodec,
    collection: str,
    scheme: str,
    *,
    rewritten: bool = False,
) -> int:
    """Make the table of ids, in place of one that is there; inside the caller's transaction.

    Args:
        connection: The target.
        values: Query of the values, one text column without NULLs.
        codec: Derives ids.
        collection: The name that ids are hashed with.
        scheme: `uuid` or `cuid2`.
        rewritten: Whether texts may be such ids already.

    Returns:
        How many values are ids; what is none, such as a DBRef into another collection, is left out.
    """
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(OWN_IDS))
    connection.execute("CREATE TEMP TABLE isthmus_own_id (value text PRIMARY KEY, id text NOT NULL)")
    count = 0
    for page in _pages(connection, values):
        made = ((value, _id_of(value, codec, collection, scheme, rewritten=rewritten)) for value in page)
        found = [(value, own) for value, own in made if own is not None]
        with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(OWN_IDS)) as copy:
            for row in found:
                copy.write_row(row)
        count += len(found)
    connection.execute(sql.SQL("ANALYZE {}").format(OWN_IDS))
    return count


def _pages(connection: psycopg.Connection[Any], values: sql.Composable) -> Iterator[list[str]]:
    with connection.cursor(name="isthmus_own_values") as cursor:
        cursor.execute(sql.SQL("SELECT DISTINCT v.value FROM ({}) AS v(value)").format(values))
        while rows := cursor.fetchmany(_PAGE):
            yield [str(value) for (value,) in rows]


def _id_of(text: str, codec: IdCodec, collection: str, scheme: str, *, rewritten: bool) -> str | None:
    try:
        value = json_util.loads(text, json_options=_OPTIONS)
        if isinstance(value, DBRef):
            if value.collection != collection:
                return None
            value = value.id
        if value is None or isinstance(value, list):
            return None
        return codec.derive(collection, bson.encode({"_id": value}), scheme, rewritten=rewritten)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, BSONError, ConversionError):
        return None
