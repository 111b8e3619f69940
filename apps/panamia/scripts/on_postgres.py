"""What scripts share that ask PostgreSQL alone: where it is, how trouble is told, and how they end."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from isthmus.cli.ending import show_end, to_its_end
from isthmus.cli.findings import failed_json, writing_refusals
from isthmus.cli.output import write_json
from isthmus.cli.result_files import refusal_to_write
from isthmus.connect.postgres import explain, trouble
from isthmus.errors import ConfigError, TargetError

from ..service.database import open_engine, sessions_of
from ..service.settings import Settings
from .command import NotDoneError, settings_for

EXIT_CODES = "2 settings, 4 PostgreSQL does not answer or refuses, 130 stopped"


@dataclass(frozen=True)
class Database:
    """PostgreSQL, and the settings that said where it is."""

    sessions: async_sessionmaker[AsyncSession]
    settings: Settings


Result = dict[str, Any]
Work = Callable[[Database], Awaitable[tuple[int, Result]]]
"""Does the work; returns the exit code and what is written as JSON."""


def add_json(parser: argparse.ArgumentParser) -> None:
    """Let a script write its result as JSON."""
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON to FILE, or - to print it")


def run_script(work: Work, what: str, json_file: str | None, show: Callable[[Result], None]) -> int:
    """Do some work, show or write its result, and return the exit code of the process. No error passes.

    Args:
        work: What is done.
        what: What it does, as in `PostgreSQL could not … .`
        json_file: Where the result is written; None: it is shown.
        show: Shows the result to people, on standard output unless `--json -` has it.
    """

    def run() -> int:
        try:
            refusal = refusal_to_write(Path(json_file)) if json_file and json_file != "-" else None
            if refusal is not None:
                raise ConfigError(refusal, code="output-lost", hint="Name another file with --json.")
            with writing_refusals(json_file, failed_json):
                code, result = asyncio.run(_done(work, what))
                if json_file != "-":
                    show(result)
                write_json({"exit_code": code, **result}, json_file)
            return code
        except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001  nothing leaves as a bare traceback
            return show_end(fault)

    return to_its_end(run)


async def _done(work: Work, what: str) -> tuple[int, Result]:
    try:
        settings = settings_for(mongodb=False)
    except NotDoneError as fault:
        raise ConfigError(str(fault), code="setting", hint="Name the database with POSTGRES_URL.") from None
    address = settings.postgres_url.get_secret_value() if settings.postgres_url else ""
    async with AsyncExitStack() as stack:
        engine = open_engine(address, pool_size=1)
        stack.push_async_callback(engine.dispose)
        try:
            return await work(Database(sessions_of(engine), settings))
        except DBAPIError as fault:
            raise _told(fault, what) from None


def _told(fault: DBAPIError, what: str) -> TargetError:
    if isinstance(fault.orig, psycopg.errors.UndefinedTable):
        return TargetError(
            "The database lacks tables of the service.",
            code="not-deployed",
            hint="Apply the migrations first: cd apps/panamia && isthmus schema deploy",
        )
    error = fault.orig if isinstance(fault.orig, psycopg.Error) else psycopg.OperationalError(type(fault).__name__)
    return trouble(error, what, explain(error, values=False))
