"""Make the indexes of profiles in MongoDB, and tell what keeps profiles from being claimed.

    python -m apps.panamia.scripts.prepare_profiles
    python -m apps.panamia.scripts.prepare_profiles --check

The service makes them when it starts. This tells of them, and makes them anew once somebody has settled which profile
it is that a user has. It may be stopped, run twice, and run beside the service.
"""

from __future__ import annotations

if __name__ == "__main__":
    from isthmus.cli.early import leave_on_signals

    leave_on_signals()

import argparse
from collections.abc import Sequence

from pymongo.errors import PyMongoError

from isthmus.cli.output import out
from isthmus.errors import SourceError

from ..service.mongo import MongoAwayError
from ..service.profiles.preparing import documents_of
from .mongodb import mongo_of
from .on_postgres import EXIT_CODES, Result, add_json, run_script
from .postgres import Database


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m apps.panamia.scripts.prepare_profiles",
        description="Make the indexes of profiles in MongoDB where they are missing, and list what keeps profiles from"
        " being claimed: users that several profiles hold, addresses that nobody finds.",
        epilog=f"Exit codes: 0 nothing does, 1 something is listed, {EXIT_CODES}, 3 MongoDB does not answer or refuses."
        " The databases are those of POSTGRES_URL and MONGODB_URI.",
        allow_abbrev=False,
    )
    parser.add_argument("--check", action="store_true", help="only look: make no index")
    add_json(parser)
    said = parser.parse_args(arguments)

    async def work(database: Database) -> tuple[int, Result]:
        settings = database.settings
        try:
            async with mongo_of(settings) as mongo:
                documents = await documents_of(database.sessions, mongo, settings.mongodb_timeout_ms / 1_000)
                if documents is None:
                    return 0, {"home": "postgres", "made": [], "findings": []}
                made = [] if said.check else await documents.prepare()
                found = await documents.faults()
        except (MongoAwayError, PyMongoError) as fault:
            raise SourceError(
                f"MongoDB does not do it: {type(fault).__name__}.",
                code="source-unreachable",
                hint="Look whether it is there, and whether MONGODB_URI may create indexes.",
            ) from None
        findings = [{"code": one.code, "message": one.message, "hint": one.hint} for one in found]
        return 1 if found else 0, {"home": "mongodb", "made": made, "findings": findings}

    return run_script(work, "prepare profiles", said.json, _show, needs={"POSTGRES_URL", "MONGODB_URI"})


def _show(result: Result) -> None:
    if result["home"] == "postgres":
        out.print("Profiles live in PostgreSQL: nothing is needed in MongoDB.")
        return
    for name in result["made"]:
        out.print(f"made the index {name}")
    for one in result["findings"]:
        out.print(f"• {one['message']} {one['hint']} ({one['code']})")
    if not result["findings"]:
        out.print("Nothing keeps profiles from being claimed.")


if __name__ == "__main__":
    raise SystemExit(main())
