"""Turn the text a user gives for a target into something to connect to.

Decides what the text is and starts an embedded server where it names one. Opens no connection itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal
from urllib.parse import quote

from isthmus.connect.secrets import hide
from isthmus.errors import ConfigError

_EMBEDDED = "embedded:"
_MISREAD = re.compile(r"postgres(?:ql)?://[^/?@]*/[^?]*@")
"""A URL whose user and host stand behind its first slash, where libpq looks for the database."""

_OF_PRISMA = frozenset(
    {"schema", "connection_limit", "pool_timeout", "pgbouncer", "socket_timeout", "statement_cache_size"}
    | {"single_use_connections", "sslaccept", "sslidentity"}
)
"""Parameters of Prisma's addresses that libpq refuses; names that are known can be said, for they are no password."""

_HINT = "Give postgresql://USER@HOST/DATABASE, a connection string such as 'host=… dbname=…', or embedded:DIR."


@dataclass(slots=True)
class TargetAddress:
    """A target that can be connected to.

    Attributes:
        conninfo: Connection string for psycopg. May hold a password: never print it (it is left out of `repr`).
        display: The same place for people, without user secrets.
        kind: `server` for an address that was given, `embedded` for a server that runs in a folder.
    """

    conninfo: str = field(repr=False)
    display: str
    kind: Literal["server", "embedded"]
    on_close: Callable[[], None] | None = field(default=None, repr=False)

    def close(self) -> None:
        """Let go of the target; the last one to let go of an embedded server stops it. Safe to repeat."""
        on_close, self.on_close = self.on_close, None
        if on_close is not None:
            on_close()

    def __enter__(self) -> TargetAddress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_target(text: str, *, create: bool = False) -> TargetAddress:
    """Understand a target's text; start the embedded server when it names one.

    Args:
        text: `postgresql://…`, `postgres://…`, libpq's `key=value …`, or `embedded:DIR`.
        create: Make the embedded server when DIR holds none; only who fills a target may want that. Otherwise such a
            DIR is refused, and nothing is written.

    Raises:
        ConfigError: the text is no target (`bad-target`); what it holds is never repeated with a password in it.
        TargetError: the embedded server cannot start or does not exist; see `embedded.start`.
    """
    stripped = text.strip()
    if stripped.startswith(_EMBEDDED):
        return _open_embedded(stripped.removeprefix(_EMBEDDED), create=create)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", stripped)
    if scheme is not None and scheme[1].lower().startswith("mongodb"):
        raise ConfigError("The target is a MongoDB address; MongoDB is the source.", code="bad-target", hint=_HINT)
    if scheme is not None and scheme[1] not in {"postgres", "postgresql"}:
        message = f"A target that begins with {scheme[1]}:// is not known."
        hint = f"Is it postgresql:// without the rest of {scheme[1]}? {_HINT}" if "+" in scheme[1] else _HINT
        raise ConfigError(message, code="bad-target", hint=hint)
    if scheme is None and "=" not in stripped:
        # user:password@host without its scheme is a mistake that people make
        shown = "An empty text" if not stripped else "The target" if "@" in stripped else repr(hide(stripped[:60]))
        raise ConfigError(f"{shown} is no PostgreSQL address.", code="bad-target", hint=_HINT)
    return TargetAddress(conninfo=stripped, display=_display(stripped), kind="server")


def _open_embedded(directory: str, *, create: bool) -> TargetAddress:
    from isthmus.connect.embedded import start

    if not directory:
        message = "embedded: needs the folder that the server's files go to."
        raise ConfigError(message, code="bad-target", hint="For example embedded:.isthmus/postgres")
    server = start(Path(directory), create=create)
    return TargetAddress(
        conninfo=server.conninfo, display=f"{_EMBEDDED}{directory}", kind="embedded", on_close=server.close
    )


def _display(conninfo: str) -> str:
    """Return user, hosts, ports and database of a connection string as a URL; nothing else of it."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(conninfo)
    except ProgrammingError:
        # libpq's message quotes what it could not parse, which may be a piece of a password.
        raise _unparsable(conninfo) from None
    hosts = str(parts.get("host") or parts.get("hostaddr") or "").split(",")
    ports = str(parts.get("port") or "").split(",")
    # libpq takes "postgresql://user:pa/ss@host/db" for host "user" with port "pa": only connecting would show it.
    if not all(port.isdecimal() or not port for port in ports) or _MISREAD.match(conninfo):
        raise _unparsable(conninfo)
    if len(ports) == 1:
        ports *= len(hosts)
    places = [f"{_part(host)}:{port}" if port else _part(host) for host, port in zip(hosts, ports, strict=False)]
    user = f"{_part(parts['user'])}@" if parts.get("user") else ""
    database = f"/{_part(parts['dbname'])}" if parts.get("dbname") else ""
    return f"postgresql://{user}{','.join(places)}{database}"


def _part(text: object) -> str:
    """Write a part of a URL so that the URL can be used again; a socket's folder is one, too."""
    return quote(str(text), safe="[]:")


def _unparsable(conninfo: str) -> ConfigError:
    found = {name for name in re.findall(r"[?&]([a-z_]+)=", conninfo) if name in _OF_PRISMA}
    theirs = f"Leave out {', '.join(sorted(found))}, which Prisma knows and PostgreSQL does not. " if found else ""
    if "schema" in found:
        theirs += "For tables in another schema than public: options=-csearch_path%3DSCHEMA in its place. "
    encoded = "In a URL, write special characters of the password percent-encoded (@ as %40, / as %2F)."
    return ConfigError(
        "The target's address cannot be parsed; its text is not repeated here because it may hold a password.",
        code="bad-target",
        hint=f"{theirs}{encoded} {_HINT}",
    )
