"""Delete what has expired: notifications, sessions, tokens, changes of address that nobody confirmed.

    python -m apps.panamia.scripts.clean_up
    python -m apps.panamia.scripts.clean_up --dry-run

PostgreSQL is that of POSTGRES_URL. The service does it by itself, unless CLEAN_UP_EVERY_SECONDS is 0. It may be
stopped, run twice, and run beside the service.
"""

from __future__ import annotations

if __name__ == "__main__":
    from isthmus.cli.early import leave_on_signals

    leave_on_signals()

import argparse
from collections.abc import Sequence

from isthmus.cli.output import out

from ..service.cleaning import clean_up, count_expired
from .on_postgres import EXIT_CODES, Database, Result, add_json, run_script


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m apps.panamia.scripts.clean_up",
        description="Delete what has expired: notifications at once; sessions, sign-in links, counts of them, changes"
        " and confirmations of an address a day later. Each batch is a transaction of its own.",
        epilog=f"Exit codes: 0 done, {EXIT_CODES}. The database is that of POSTGRES_URL.",
        allow_abbrev=False,
    )
    parser.add_argument("--dry-run", action="store_true", help="only count what would go")
    add_json(parser)
    said = parser.parse_args(arguments)

    async def work(database: Database) -> tuple[int, Result]:
        rows = await (count_expired if said.dry_run else clean_up)(database.sessions)
        return 0, {"dry_run": said.dry_run, "rows": rows}

    return run_script(work, "delete what has expired", said.json, _show)


def _show(result: Result) -> None:
    rows: dict[str, int] = result["rows"]
    verb = "would go" if result["dry_run"] else "gone"
    for table, count in rows.items():
        out.print(f"{table:20} {count:>10,} {verb}")


if __name__ == "__main__":
    raise SystemExit(main())
