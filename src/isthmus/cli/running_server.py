"""A MongoDB server that runs, as commands that write to it take one: by its address, with a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isthmus.connect.mongo import MongoServer


def refuse_no_server(source: str) -> None:
    """Refuse a SOURCE that is no address of a server.

    Raises:
        ConfigError: It is none (code `bad-source`).
    """
    from isthmus.errors import ConfigError

    if not source.strip().lower().startswith(("mongodb://", "mongodb+srv://")):
        raise ConfigError(
            "The source is no address of a running MongoDB server.",
            code="bad-source",
            hint="Give mongodb://HOST/DATABASE or mongodb+srv://HOST/DATABASE.",
        )


def database_of(server: MongoServer, name: str | None) -> str:
    """Return the database's name: the one given, or that of the address.

    Raises:
        ConfigError: Nobody names one (code `database-needed`).
    """
    from isthmus.errors import ConfigError

    database = name or server.database
    if not database:
        raise ConfigError(
            f"The source's address names no database of {server.display}.",
            code="database-needed",
            hint="Give --db NAME, or write it behind the host: mongodb://HOST/DATABASE.",
        )
    return database
