"""Read a database's catalog: every schema of users, what stands in it, and what stands beside all schemas.

Any role that may connect may read it. Left out: what belongs to an extension (the extension itself is in), values of
sequences, large objects and passwords, and what a server has besides its databases (roles, tablespaces).
"""

from __future__ import annotations

from collections.abc import Collection

import psycopg

from isthmus.govern.catalog.model import Catalog, Key
from isthmus.state.statements import statements

_FILES = ("relations", "hanging", "types", "code", "database", "rare", "held")
_SETTINGS = (
    "SELECT set_config('search_path', %s, true), set_config('plan_cache_mode', %s, true),"
    " set_config('quote_all_identifiers', 'off', true)"
)


def read_catalog(connection: psycopg.Connection, *, but: Collection[str] = ("isthmus",)) -> Catalog:
    """Return every object of the users of a database.

    Reads alone, in a transaction of its own or inside of the one that is open. A `SET LOCAL` of the search path in the
    latter is put back.

    Args:
        connection: To the database.
        but: Schemas that are left out; those of the server always are.
    """
    found: Catalog = {}
    given = {"but": list(but)}
    with connection.transaction():
        row = connection.execute("SELECT current_setting('search_path'), current_setting('plan_cache_mode')").fetchone()
        # planned once for a connection: planning takes longer than reading
        connection.execute(_SETTINGS, ("", "force_generic_plan"))
        with connection.pipeline():
            answers = [connection.execute(text, given, prepare=True) for text in _questions()]
        for answer in answers:
            for kind, schema, name, part, properties in answer:
                found.setdefault(Key(kind, schema, name, part), {}).update(properties)
        connection.execute(_SETTINGS, row)
    return found


def _questions() -> list[bytes]:
    return [text for file in _FILES for text in statements(file, "isthmus.govern.catalog").values()]
