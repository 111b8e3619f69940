"""What scripts share that work without anybody looking: how trouble is told, and how they end, as `isthmus` does."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError

from isthmus.cli.ending import show_end, to_its_end
from isthmus.cli.findings import failed_json, writing_refusals
from isthmus.cli.output import write_json
from isthmus.cli.result_files import refusal_to_write
from isthmus.connect.postgres import explain, trouble
from isthmus.errors import ConfigError, TargetError

from ..service.settings import Need
from .postgres import Database, database_of, settings_for

EXIT_CODES = "2 settings, 4 PostgreSQL does not answer or refuses, 130 stopped"


Result = dict[str, Any]
Work = Callable[[Database], Awaitable[tuple[int, Result]]]
"""Does the work; returns the exit code and what is written as JSON."""


def add_json(parser: argparse.ArgumentParser) -> None:
    """Let a script write its result as JSON."""
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON to FILE, or - to print it")


def run_script(
    work: Work,
    what: str,
    json_file: str | None,
    show: Callable[[Result], None],
    *,
    needs: Collection[Need] = frozenset({"POSTGRES_URL"}),
) -> int:
    """Do some work, show or write its result, and return the exit code of the process. No error passes.

    Args:
        work: What is done.
        what: What it does, as in `PostgreSQL could not … .`
        json_file: Where the result is written; None: it is shown.
        show: Shows the result to people, on standard output unless `--json -` has it.
        needs: Which settings it needs.
    """

    def run() -> int:
        try:
            refusal = refusal_to_write(Path(json_file)) if json_file and json_file != "-" else None
            if refusal is not None:
                raise ConfigError(refusal, code="output-lost", hint="Name another file with --json.")
            with writing_refusals(json_file, failed_json):
                code, result = asyncio.run(_done(work, what, needs))
                if json_file != "-":
                    show(result)
                write_json({"exit_code": code, **result}, json_file)
            return code
        except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001  nothing leaves as a bare traceback
            return show_end(fault)

    return to_its_end(run)


async def _done(work: Work, what: str, needs: Collection[Need]) -> tuple[int, Result]:
    async with database_of(settings_for(needs=needs)) as database:
        try:
            return await work(database)
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
