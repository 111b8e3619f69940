"""`isthmus psql`: look at what was copied, also where the target's server runs only while it is used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import LookTargetOption

if TYPE_CHECKING:
    from types import FrameType

    from isthmus.connect.target import TargetAddress

_INTERRUPTIONS = (1, 2, 15)
"""SIGHUP, SIGINT, SIGTERM; Windows has no name for the first."""

_ON_NO_COMMAND_LINE = ("sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
"""Secrets that psql takes in a connection string only, which every user of the machine could read; it asks instead."""


def psql(
    target: LookTargetOption,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- OPTION", help="Options of psql: -- -c 'SELECT …'.", show_default=False),
    ] = None,
) -> int:
    """Open TARGET in psql, PostgreSQL's own client. An embedded server runs as long as that does.

    Without options it is a prompt: \\d lists the tables, \\q leaves. An embedded target brings its own psql; another
    needs one on the PATH. What you change there is your own doing: no run knows of it.

    Exit codes: 0 psql ended well, 2 there is no psql, 4 it did not end well or the target cannot be reached,
    130 it was interrupted (Ctrl-C, SIGTERM, SIGHUP) and did not end well.
    """
    import sys

    from isthmus.cli.output import err
    from isthmus.connect.target import open_target

    with open_target(target) as address:
        program = _program(address)
        if address.kind == "embedded" and not arguments and sys.stdin is not None and sys.stdin.isatty():
            err.print(f"While this is open, other programs reach it at {_url(address)}", markup=False, soft_wrap=True)
        return _run(
            [str(program), *_connection(address, environment := dict(os.environ)), *(arguments or [])], environment
        )


def _program(address: TargetAddress) -> Path:
    """Return the psql to run: the embedded server's own, or the one of the PATH, which may use TLS.

    Raises:
        ConfigError: There is none (code `no-psql`).
        TargetError: The embedded server's package is missing.
    """
    import shutil

    from isthmus.connect.embedded_files import packaged_binaries
    from isthmus.errors import ConfigError

    if address.kind == "embedded":
        return packaged_binaries() / "psql"
    found = shutil.which("psql")
    if found is None:
        raise ConfigError(
            "There is no psql on the PATH.",
            code="no-psql",
            hint="Install PostgreSQL's client programs (postgresql-client, libpq), or use any other client.",
        )
    return Path(found)


def _connection(address: TargetAddress, environment: dict[str, str]) -> list[str]:
    """Return psql's options for a target, and complete its environment.

    The password goes there, which only its user can read. A service is of other servers than an embedded one, and psql
    would fail for one that is not described.
    """
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    if address.kind == "embedded":
        environment.pop("PGSERVICE", None)

    parts = {name: value for name, value in conninfo_to_dict(address.conninfo).items() if value is not None}
    password = parts.pop("password", None)
    if password is not None:
        environment["PGPASSWORD"] = str(password)
    for name in _ON_NO_COMMAND_LINE:
        parts.pop(name, None)
    return ["--dbname", make_conninfo("", **parts)]


def _url(address: TargetAddress) -> str:
    """Return the address of an embedded server as other programs take it; it has no password."""
    from urllib.parse import quote

    from psycopg.conninfo import conninfo_to_dict

    parts = {name: quote(str(value), safe="/") for name, value in conninfo_to_dict(address.conninfo).items()}
    return f"postgresql:///{parts['dbname']}?host={parts['host']}&port={parts['port']}&user={parts['user']}"


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run psql with our own streams and return our exit code; Ctrl-C is for it alone, SIGTERM ends both."""
    import signal
    import subprocess
    import sys

    interrupted = False

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True

    sys.stdout.flush()
    # What was closed stays closed in psql, and its connection would be taken for what a person types.
    stdin = subprocess.DEVNULL if sys.stdin is None else None
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:  # which psql inherits; a function it does not
        signal.signal(signal.SIGINT, note)
    try:
        with subprocess.Popen(command, env=environment, stdin=stdin) as child:  # noqa: S603  what the user asked for
            try:
                code = child.wait()
            finally:
                if child.poll() is None:
                    child.terminate()
    finally:
        signal.signal(signal.SIGINT, before)
    return _exit_code(code, interrupted=interrupted)


def _exit_code(code: int, *, interrupted: bool) -> int:
    """Return our exit code for psql's, negative where a signal ended it; a shell in between says 128 and the signal.

    Args:
        code: What psql ended with.
        interrupted: Whether Ctrl-C was pressed while it ran: psql ends as after an error then, or goes on.
    """
    if code == 0:
        return 0
    number = -code if code < 0 else code - 128
    return 130 if interrupted or number in _INTERRUPTIONS else 4
