"""Copies whole databases, so that what takes long is done once."""

from __future__ import annotations

import secrets

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo


def twin_of(server: str, database: str) -> str:
    """Copy a database to which nobody is connected; return the conninfo of the copy."""
    template = str(conninfo_to_dict(database)["dbname"])
    name = f"{template} {secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    return make_conninfo(server, dbname=name)
