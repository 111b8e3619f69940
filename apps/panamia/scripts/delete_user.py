"""Delete a person from both databases.

    python -m apps.panamia.scripts.delete_user EMAIL --dry-run
    python -m apps.panamia.scripts.delete_user EMAIL

PostgreSQL's rows and the events that change MongoDB's documents are one transaction, so a kill leaves all or nothing;
said again, it finds nothing, or what is left. Old copies of profiles that live in PostgreSQL are no matter of the
outbox: they are deleted when all else is done but the COMMIT, for behind it nothing would tell whose they are. What is
listed before it asks is what a whole deletion came to that was rolled back. docs/how-to/sign-in.md says what stays, and
why.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
from pymongo.errors import PyMongoError
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from isthmus.errors import IsthmusError
from isthmus.polyglot.outbox import enqueue_async
from isthmus.polyglot.switch import hold

from ..service.addresses import fold
from ..service.mongo import Mongo, MongoAwayError
from ..service.profiles.stores import COLLECTION
from ..service.settings import Settings
from ..web.faults import is_undone_by_others
from .command import NotDoneError, email_in, ended, words_of
from .deleting.carried import documents_of, rows_of
from .deleting.documents import Documents
from .deleting.report import Report
from .deleting.rows import delete_rows, held_profiles, held_user
from .deleting.rules import rule_of
from .mongodb import mongo_of
from .postgres import database_of, settings_for

_WHAT = "Delete a person from both databases, and list what was removed, what was kept, and why."
_EPILOG = (
    "Needs POSTGRES_URL, MONGODB_URI and AUTH_SECRET as the service has them. Documents of MongoDB go when\n"
    "`isthmus outbox run` has applied what was written down.\n\n"
    "Exit codes: 0 it is done, or nothing is left to do; 1 it is not, or not all, and a sentence says what:\n"
    "not confirmed, a database is away, something else needs the person."
)
_NOT_LOOKED = (
    "What other programs may have written to MongoDB at the same moment was not looked for ({kind}): say it again, and"
    " let isthmus refs audit look for what still names the person."
)
_OLD_LEFT = (
    "MongoDB did not delete the old copy of the profile, or did not say so ({kind}). What else was to be changed now"
    " was not: say it again."
)
_TRIES = 3
_ANSWER_SECONDS = 600.0
"""Not every collection has an index on what is looked for."""
T = TypeVar("T")


@dataclass(frozen=True)
class Removed:
    """Who went.

    Attributes:
        user_id: None for nobody's address.
        rows: Ids of the profile's rows.
        documents: All that was found in MongoDB.
    """

    user_id: str | None
    rows: Sequence[str]
    documents: Documents


class _Rehearsed(Exception):  # noqa: N818  it is no error
    """Rolls the transaction back."""


async def _unhindered(work: Callable[[], Awaitable[T]]) -> T:
    """Do some work; again where it was undone so that others could go on."""
    for _ in range(_TRIES - 1):
        try:
            return await work()
        except DBAPIError as fault:
            if not is_undone_by_others(fault):
                raise
    return await work()


class _Deletion:
    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], mongo: Mongo, settings: Settings, email: str
    ) -> None:
        self._sessions, self._mongo, self._email = sessions, mongo, email
        self._secret = settings.auth_secret.get_secret_value()

    async def rehearse(self) -> Report:
        """Do all of it, and roll it back.

        Raises:
            NotDoneError: A table keeps the person, and by which rule.
        """
        return await self._by_the_rules(self._rehearsed)

    async def run(self) -> tuple[Report, Removed]:
        """Do it. Raises as `rehearse` does."""
        return await self._by_the_rules(self._ran)

    async def late(self, removed: Removed) -> int:
        """Look once more for what another process wrote to MongoDB at the same moment; return how much goes, too.

        Raises:
            NotDoneError: It could not be looked for. The rest is done.
        """
        try:
            return await self._late(removed)
        except (MongoAwayError, IsthmusError, SQLAlchemyError, PyMongoError) as fault:
            raise NotDoneError(_NOT_LOOKED.format(kind=type(fault).__name__)) from fault

    async def _by_the_rules(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await _unhindered(work)
        except IntegrityError as fault:
            rule = await rule_of(self._sessions, fault)
            if rule is None:
                raise
            raise NotDoneError(f"{rule} Nothing was changed.") from fault

    async def _rehearsed(self) -> Report:
        report = Report()
        try:
            async with self._sessions.begin() as db:
                await self._done(db, report)
                raise _Rehearsed
        except _Rehearsed:
            return report

    async def _ran(self) -> tuple[Report, Removed]:
        report = Report()
        async with self._sessions.begin() as db:
            removed = await self._done(db, report)
            await self._delete_old(removed.documents)
        return report, removed

    async def _late(self, removed: Removed) -> int:
        async with self._sessions.begin() as db:
            again = await self._found(db, Report(), removed.user_id, removed.rows)
            again.forget(removed.documents)
            intents = again.intents()
            await enqueue_async(db, *intents)
            return len(intents) + await self._delete_old(again)

    async def _done(self, db: AsyncSession, report: Report) -> Removed:
        """Do all of it but what cannot be rolled back."""
        user_id = await held_user(db, self._email)
        rows = await held_profiles(db, user_id, self._email)
        found = await self._found(db, report, user_id, rows)
        if found.home == "mongodb":
            rows += await rows_of(db, found.profiles)
        await delete_rows(db, report, user_id, self._email, self._secret, rows, found.home)
        await enqueue_async(db, *found.intents())
        await db.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))  # what would be looked at behind it
        return Removed(user_id, rows, found)

    async def _found(self, db: AsyncSession, report: Report, user_id: str | None, rows: Sequence[str]) -> Documents:
        """Look through MongoDB. Profiles stay where they live until the transaction ends."""
        home = (await hold(db, COLLECTION)).home
        copies = await documents_of(db, rows) if home == "postgres" else []
        found = Documents(self._mongo.database, user_id, self._email, home, copies)
        await self._mongo.ping()  # so that who is away is not waited for as long as who has much to look through
        await self._mongo.ask_apart(lambda _: found.look(report), _ANSWER_SECONDS)
        return found

    async def _delete_old(self, found: Documents) -> int:
        try:
            return await self._mongo.ask_apart(lambda _: found.delete_old())
        except (MongoAwayError, PyMongoError) as fault:
            raise NotDoneError(_OLD_LEFT.format(kind=type(fault).__name__)) from fault


async def _delete(words: argparse.Namespace) -> int:
    email = email_in(words.email)
    settings = settings_for()
    async with database_of(settings) as database, mongo_of(settings) as mongo:
        deletion = _Deletion(database.sessions, mongo, settings, email)
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
        report, removed = await deletion.run()
        _print(report)
        behind = " isthmus outbox run takes it to MongoDB." if removed.documents.intents() else ""
        print(f"{email} is deleted.{behind}", file=sys.stderr)
        late = await deletion.late(removed)
        if late:
            print(f"{late:,} more documents that were written meanwhile go, too.", file=sys.stderr)
    return 0


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
    if fold(sys.stdin.readline()) != email:
        raise NotDoneError("Another address was typed, or none. Nothing was changed.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words say, and return the exit code."""
    parser = words_of("delete_user", _WHAT, _EPILOG)
    parser.add_argument("--dry-run", action="store_true", help="only list it; change nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask for the address to be typed")
    return ended(_delete, parser, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
