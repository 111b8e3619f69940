"""Databases for trying things out: empty, made for it, and gone afterwards whatever happens.

Where no server is named, one is started in a temporary folder and thrown away. On a server that is named, databases
with random names are made and dropped; no other database of it is connected to but the one that was named, to make them
from.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from isthmus.connect.postgres import connect, explain
from isthmus.connect.target import open_target
from isthmus.errors import TargetError

PREFIX = "isthmus_scratch_"
"""What the names of scratch databases begin with."""
OLDEST = 150000
_THROWN_AWAY = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "logical",
    "max_locks_per_transaction": "256",
}
"""Settings of a server whose data nobody will miss; `logical`, because migrations may make publications."""
_SETTINGS_OF = """
SELECT r.rolname::text, split_part(one, '=', 1), substr(one, strpos(one, '=') + 1)
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole,
    unnest(s.setconfig) AS one
WHERE d.datname = %s
"""
_FOLDERS = "isthmus-scratch-"
_ABANDONED_SECONDS = 300.0
_log = logging.getLogger(__name__)


class Scratch:
    """A server on which databases may be made.

    Attributes:
        own: Whether it is thrown away at the end, so that roles may be made on it as well.
        version: Of the server, as `server_version_num`.
    """

    def __init__(self, conninfo: str, *, own: bool, version: int) -> None:
        self._conninfo = conninfo
        self.own = own
        self.version = version

    @contextmanager
    def database(self, *, copy_of: str | None = None) -> Generator[str]:
        """Make an empty database in UTF-8, and drop it at the end, with whoever is still connected to it.

        Args:
            copy_of: Conninfo of another database of this server, to begin with all that it holds; nobody may be
                connected to it. None for an empty one.

        Yields:
            Its conninfo.

        Raises:
            TargetError: The role may make none (code `scratch-refused`), or the server cannot (`target-refused`).
        """
        name = f"{PREFIX}{secrets.token_hex(6)}"
        template = "template0" if copy_of is None else str(conninfo_to_dict(copy_of)["dbname"])
        try:
            self._make(name, template)
            made = make_conninfo(self._conninfo, dbname=name)
            if copy_of is not None:
                self._copy_settings(template, made)
            yield made
        finally:
            self._drop(name)

    def make_role(self, name: str) -> None:
        """Make a role that cannot log in; only on a server that is thrown away."""
        with connect(self._conninfo, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))

    def roles(self) -> set[str]:
        """Return the roles of the server, which all its databases share."""
        with connect(self._conninfo, autocommit=True) as connection:
            return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}

    def drop_roles(self, names: Iterable[str]) -> None:
        """Drop roles, those that something still belongs to left out; only on a server that is thrown away."""
        with connect(self._conninfo, autocommit=True) as connection:
            for name in names:
                with suppress(psycopg.errors.DependentObjectsStillExist):
                    connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))

    def _copy_settings(self, template: str, conninfo: str) -> None:
        """Give a copy what ALTER DATABASE … SET says of its template: the server copies what is in it alone."""
        with connect(conninfo, autocommit=True) as connection:
            for role, name, value in connection.execute(_SETTINGS_OF, [template]).fetchall():
                database = sql.Identifier(connection.info.dbname)
                whose = (
                    sql.SQL("DATABASE {}").format(database)
                    if role is None
                    else sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), database)
                )
                setting = sql.SQL(".").join(map(sql.Identifier, name.split(".")))
                with (
                    suppress(psycopg.Error),
                    connection.transaction(),
                ):  # some are taken at the start of a session alone
                    connection.execute("SELECT set_config(%s, %s, true)", [name, value])
                    connection.execute(sql.SQL("ALTER {} SET {} FROM CURRENT").format(whose, setting))

    def _make(self, name: str, template: str) -> None:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        with connect(self._conninfo, autocommit=True) as connection:
            try:
                try:
                    connection.execute(made)
                except (psycopg.errors.ObjectNotInPrerequisiteState, psycopg.errors.InvalidParameterValue):
                    connection.execute(made + sql.SQL(" LOCALE 'C'"))  # the server's own locale is of another encoding
            except psycopg.errors.InsufficientPrivilege as fault:
                raise TargetError(
                    f"A scratch database cannot be made: {explain(fault)}.",
                    code="scratch-refused",
                    hint="Give a role that may (ALTER ROLE … CREATEDB), or another server. Where isthmus[embedded] is"
                    " installed, none is needed.",
                ) from None
            except psycopg.Error as fault:
                raise TargetError(
                    f"A scratch database cannot be made: {explain(fault)}.",
                    code="target-refused",
                    hint="Try CREATE DATABASE with the same role by hand, or give another server.",
                ) from None

    def _drop(self, name: str) -> None:
        try:
            with connect(self._conninfo, autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        except (psycopg.Error, TargetError) as fault:
            if not self.own:
                said = explain(fault) if isinstance(fault, psycopg.Error) else str(fault)
                _log.warning("The scratch database %s could not be dropped (%s): drop it by hand.", name, said)


@contextmanager
def scratch_server(where: str | None = None) -> Generator[Scratch]:
    """Give a server for scratch databases.

    Args:
        where: `postgresql://…` of a server where databases may be made, or `embedded:DIR`. None: an embedded PostgreSQL
            in a temporary folder, gone at the end.

    Raises:
        ConfigError: The text is no target (`bad-target`).
        TargetError: PostgreSQL is not installed beside isthmus (`embedded-missing`), the server cannot be reached
            (`unreachable`), or it is too old (`target-version`).
    """
    if where is not None:
        with open_target(where, create=True) as address:
            yield Scratch(address.conninfo, own=False, version=_version(address.conninfo))
        return
    _clear_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=_FOLDERS))
    folder.chmod(0o711)  # the user that the server runs as, where root may not, passes through
    try:
        with _thrown_away(folder / "pg") as conninfo:
            yield Scratch(conninfo, own=True, version=_version(conninfo))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _thrown_away(place: Path) -> Generator[str]:
    from isthmus.connect.embedded import start

    try:
        server = start(place, settings=_THROWN_AWAY)
    except TargetError as fault:
        if fault.code != "embedded-missing":
            raise
        raise TargetError(
            fault.message,
            code=fault.code,
            hint="pip install 'isthmus[embedded]', or give --scratch postgresql://… of a server where databases may be"
            " made.",
        ) from None
    try:
        yield server.conninfo
    finally:
        server.close()


def _clear_abandoned() -> None:
    """Stop servers and remove folders of this user's that a killed process left behind; never one that is in use."""
    from isthmus.connect.embedded import start

    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*"):
        with suppress(OSError, TargetError):
            found = folder.stat()
            if found.st_uid != os.geteuid() or time.time() - found.st_mtime < _ABANDONED_SECONDS:
                continue
            server = start(folder / "pg", create=False)
            server.close()  # stops it where nobody else holds it
            if server.pid is None:
                shutil.rmtree(folder, ignore_errors=True)


def _version(conninfo: str) -> int:
    with connect(conninfo, autocommit=True) as connection:
        version = connection.info.server_version
    if version < OLDEST:
        raise TargetError(
            f"The server is PostgreSQL {version // 10000}; migrations are tried on 15 or newer.",
            code="target-version",
            hint="Give a newer server, the version of production if you can.",
        )
    return version
