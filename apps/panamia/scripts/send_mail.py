"""Send the mail that is owed for notifications.

    python -m apps.panamia.scripts.send_mail
    python -m apps.panamia.scripts.send_mail --status

The service does it by itself, unless MAIL_EVERY_SECONDS is 0. Several may run at once.
"""

from __future__ import annotations

if __name__ == "__main__":
    from isthmus.cli.early import leave_on_signals

    leave_on_signals()

import argparse
from collections.abc import Sequence
from dataclasses import asdict

from isthmus.cli.output import out

from ..service.mail import sender_of
from ..service.notifications.owing import standing, take_up_again
from ..service.notifications.sending import Counts, send_due
from .on_postgres import EXIT_CODES, Database, Result, add_json, run_script


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m apps.panamia.scripts.send_mail",
        description="Send the mail of notifications that is due, and say how much is owed still. What fails is due"
        " again later, and given up behind twelve tries.",
        epilog=f"Exit codes: 0 done, 1 some was put off or is given up, {EXIT_CODES}."
        " The database is that of POSTGRES_URL, mail goes where MAIL says.",
        allow_abbrev=False,
    )
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--status", action="store_true", help="send nothing; only say how much is owed")
    one.add_argument("--retry", action="store_true", help="take up again what was given up, and send it too")
    add_json(parser)
    said = parser.parse_args(arguments)

    async def work(database: Database) -> tuple[int, Result]:
        counts, again = Counts(), 0
        if not said.status:
            sender = sender_of(database.settings)
            if said.retry:
                async with database.sessions.begin() as db:
                    again = await take_up_again(db)
            counts = await send_due(database.sessions, sender, database.settings.public_url)
        async with database.sessions.begin() as db:
            owed = await standing(db)
        code = 1 if counts.put_off or owed.given_up else 0
        return code, {**asdict(counts), "taken_up_again": again, "owed": asdict(owed)}

    def show(result: Result) -> None:
        if not said.status:
            counted = (["taken_up_again"] if said.retry else []) + list(asdict(Counts()))
            out.print(", ".join(f"{result[name]:,} {name.replace('_', ' ')}" for name in counted))
        _show_owed(result["owed"])

    return run_script(work, "tell what mail is owed", said.json, show)


def _show_owed(owed: Result) -> None:
    out.print(f"{owed['waiting']:,} waiting, {owed['failing']:,} of them failed before; {owed['given_up']:,} given up")
    if owed["waiting"]:
        out.print(f"the oldest has waited for {owed['oldest_seconds']:,.0f} seconds")
    for reason, count in owed["failures"].items():
        out.print(f"given up, {count:,}: {reason}", markup=False)


if __name__ == "__main__":
    raise SystemExit(main())
