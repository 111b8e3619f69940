"""Make what the models say in an empty scratch database, so that the server itself says what they mean."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import ARRAY, MetaData, create_engine
from sqlalchemy.dialects.postgresql import DOMAIN, ENUM
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from isthmus.connect.secrets import hide
from isthmus.errors import ConfigError, Where
from isthmus.govern.models.loading import place_of, talking_aside

if TYPE_CHECKING:
    from isthmus.govern.scratch import Scratch


def engine(conninfo: str) -> Engine:
    """Return SQLAlchemy's way to a database; it keeps no connection."""
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=NullPool)


@contextmanager
def models_database(
    scratch: Scratch, metadata: MetaData, folder: Path, *, extensions: Sequence[str], helpers: Sequence[str]
) -> Generator[str]:
    """Make a scratch database of the models, for as long as the context lasts.

    Args:
        scratch: Where.
        metadata: The models.
        folder: The project's, to say where its code failed.
        extensions: Names of those that the migrations make: models rely on them and cannot make them.
        helpers: Statements that make what the migrations alone may hold and the models call: functions. They are
            tried only where the models cannot be made without.

    Yields:
        Its conninfo.

    Raises:
        ConfigError: The models cannot be made into tables (code `models-refused`).
    """
    faults: list[ConfigError] = []
    for ways in ({"schemas": True}, {"schemas": True, "helpers": helpers}, {"schemas": False}):
        with scratch.database() as conninfo:
            try:
                _make(conninfo, metadata, folder, extensions, **ways)  # pyright: ignore[reportArgumentType]
            except ConfigError as fault:
                faults.append(fault)
                continue
            yield conninfo
            return
    raise faults[1]


def schemas_of(metadata: MetaData) -> set[str]:
    """Return the schemas that the models use; `public` for tables that name none."""
    found = {table.schema or "public" for table in metadata.tables.values()}
    types: list[Any] = list(_types(metadata))
    return found | {str(one.schema) for one in types if one.schema is not None}


def _make(
    conninfo: str,
    metadata: MetaData,
    folder: Path,
    extensions: Sequence[str],
    *,
    schemas: bool,
    helpers: Sequence[str] = (),
) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for name in extensions:
            with suppress(psycopg.Error):  # the models' own words tell what is missing
                connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE").format(sql.Identifier(name)))
        for name in sorted(schemas_of(metadata)) if schemas else ():
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(name)))
        connection.execute("SET check_function_bodies = off")
        for one in helpers:
            with suppress(psycopg.Error):
                connection.execute(one.encode())
    try:
        with talking_aside(), engine(conninfo).begin() as bound:
            for kind in _types(metadata):
                if not kind.create_type:  # made by a migration: the models rely on it
                    kind.create(bound, checkfirst=True)
            metadata.create_all(bound)
    except Exception as fault:  # noqa: BLE001  of SQLAlchemy, of the driver, or of the project's own events
        raise _refused(fault, folder) from None


def _types(metadata: MetaData) -> Iterator[ENUM | DOMAIN]:
    for table in metadata.tables.values():
        for column in table.columns:
            kind: Any = column.type
            while isinstance(kind, ARRAY):
                kind = cast("Any", kind).item_type
            if isinstance(kind, ENUM | DOMAIN):
                yield kind


def _refused(fault: Exception, folder: Path) -> ConfigError:
    cause = fault.orig if isinstance(fault, DBAPIError) else None
    said = cause.diag.message_primary if isinstance(cause, psycopg.Error) and cause.diag.message_primary else str(fault)
    file, line = place_of(fault, folder)
    own = file is not None and Path(file).is_relative_to(folder)
    hint = "What they rely on must be made by them, or by a migration that comes before."
    if isinstance(cause, psycopg.errors.UndefinedObject | psycopg.errors.UndefinedFunction):
        hint = (
            "Where it is an extension's, a migration has to make that: CREATE EXTENSION IF NOT EXISTS …; and the"
            " server of --scratch must have it."
        )
    return ConfigError(
        f"The models cannot be made into tables: {hide(' '.join(said.split()))}",
        code="models-refused",
        where=Where(file=file if own else None, line=line if own else None),
        hint=hint,
    )
