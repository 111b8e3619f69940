"""Delete a person from both databases.

    python -m apps.panamia.scripts.delete_user EMAIL --dry-run
    python -m apps.panamia.scripts.delete_user EMAIL

PostgreSQL's rows and the events that change MongoDB's documents are one transaction, so a kill leaves all or nothing;
said again, it finds nothing, or what is left. What is listed before it asks is what a whole deletion came to that was
rolled back. docs/how-to/sign-in.md says what stays, and why.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from isthmus.polyglot.outbox import enqueue_async
from isthmus.polyglot.switch import hold

from ..service.database import open_engine, sessions_of
from ..service.mongo import Mongo, MongoAwayError
from ..service.settings import Settings
from .command import NotDoneError, email_in, ended, settings_for, words_of
from .deleting.documents import Documents
from .deleting.report import Report
from .deleting.rows import delete_rows, held_user

_WHAT = "Delete a person from both databases, and list what was removed, what was kept, and why."
_EPILOG = (
    "Needs POSTGRES_URL, MONGODB_URI and AUTH_SECRET as the service has them. Documents of MongoDB go when\n"
    "`isthmus outbox run` has applied what was written down.\n\n"
    "Exit codes: 0 it is done, or nothing is left to do; 1 it is not: not confirmed, a database is away,\n"
    "something else needs the person."
)


class _Rehearsed(Exception):  # noqa: N818  it is no error
    """Rolls the transaction back."""


class _Deletion:
    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], mongo: Mongo, settings: Settings, email: str
    ) -> None:
        self._sessions, self._mongo, self._email = sessions, mongo, email
        self._secret = settings.auth_secret.get_secret_value()

    async def rehearse(self) -> Report:
        """Do all of it, and roll it back."""
        report = Report()
        try:
            async with self._sessions.begin() as db:
                await self._done(db, report)
                raise _Rehearsed
        except _Rehearsed:
            return report

    async def run(self) -> Report:
        """Do it. What another process wrote to MongoDB at the same moment is looked for once more behind it."""
        report = Report()
        async with self._sessions.begin() as db:
            user_id, before = await self._done(db, report)
        try:
            late = await self._late(user_id, before)
        except MongoAwayError:
            print("MongoDB went away: say it again, to find what was written to it meanwhile.", file=sys.stderr)
        else:
            report.add("MongoDB", "removed", "was written while the rest went", late)
        return report

    async def _late(self, user_id: str | None, before: Documents) -> int:
        again = Documents(self._mongo.database, user_id, self._email)
        await self._mongo.ask(lambda _: again.look(Report()))
        for key in before.changes:
            again.changes.pop(key, None)
        intents = again.intents()
        if intents:
            async with self._sessions.begin() as db:
                await hold(db, "profiles")
                await enqueue_async(db, *intents)
        return len(intents)

    async def _done(self, db: AsyncSession, report: Report) -> tuple[str | None, Documents]:
        user_id = await held_user(db, self._email)
        await hold(db, "profiles")
        found = Documents(self._mongo.database, user_id, self._email)
        await self._mongo.ask(lambda _: found.look(report))
        await delete_rows(db, report, user_id, self._email, self._secret)
        await enqueue_async(db, *found.intents())
        return user_id, found


async def _delete(words: argparse.Namespace) -> int:
    email = email_in(words.email)
    settings = settings_for(mongodb=True)
    engine = open_engine(settings.postgres_url.get_secret_value() if settings.postgres_url else "", 1)
    mongo = Mongo(settings.mongodb_uri.get_secret_value() if settings.mongodb_uri else "", settings.mongodb_timeout_ms)
    try:
        deletion = _Deletion(sessions_of(engine), mongo, settings, email)
        found = await deletion.rehearse()
        if not found.changes:
            _print(found)
            print(f"Nothing is left of {email} that goes.", file=sys.stderr)
            return 0
        if words.dry_run:
            _print(found)
            print(f"This would become of {email}. Nothing was changed.", file=sys.stderr)
            return 0
        if not words.yes:
            _print(found)
            _confirm(email)
        _print(await deletion.run())
        print(f"{email} is deleted. isthmus outbox run takes it to MongoDB.", file=sys.stderr)
        return 0
    finally:
        await mongo.close()
        await engine.dispose()


def _print(report: Report) -> None:
    for line in report.lines():
        print(line)
    sys.stdout.flush()


def _confirm(email: str) -> None:
    """Let the address be typed.

    Raises:
        NotDoneError: It was not.
    """
    print(f"This becomes of {email}, and nobody can take it back. Type the address to go on:", file=sys.stderr)
    if sys.stdin.readline().strip().lower() != email:
        raise NotDoneError("Another address was typed, or none. Nothing was changed.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words say, and return the exit code."""
    parser = words_of("delete_user", _WHAT, _EPILOG)
    parser.add_argument("--dry-run", action="store_true", help="only list it; change nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask for the address to be typed")
    return ended(_delete, parser, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
