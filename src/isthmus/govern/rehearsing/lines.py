"""The databases of a rehearsal: one that is filled with rows, and, once it is needed, one that is not.

Whatever fails half way is not mended: its database is left, and a copy of the other one takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import psycopg

from isthmus.connect.postgres import connect
from isthmus.errors import TargetError
from isthmus.govern.migrations.script import Script
from isthmus.govern.rehearsing.apply import Refused, apply_rollback, apply_script
from isthmus.govern.rehearsing.before import read_before
from isthmus.govern.scratch import Scratch

_NO_ROLE = re.compile(r'role "(.+)" does not exist')
_LACKING = re.compile(
    r'extension "(.+)" is not available|could not (?:open extension control|access) file|not supported (?:in|by) this'
    r" build|requires the server to be built"
)
"""What a server says of extensions that are not there, and of what it was built without."""
_ROLE_THERE = re.compile(r'role "(.+)" already exists')
MISSING = (
    psycopg.errors.UndefinedObject,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedTable,
    psycopg.errors.InvalidSchemaName,
)
"""What a server says of things that are not there."""


class Lines:
    """The databases of one rehearsal; a context.

    Attributes:
        reader: A session, in autocommit mode, on the filled one, that no migration is executed in.
        giver: One for the rows that the user gives: what these set is no affair of the reader.
        roles: Roles that were made, for migrations name them and a scratch server has none.
    """

    reader: psycopg.Connection
    giver: psycopg.Connection

    def __init__(self, scratch: Scratch, scripts: Sequence[Script]) -> None:
        self._scratch = scratch
        self._scripts = scripts
        self._before = read_before(scripts)
        self._all = ExitStack()
        self._now = ExitStack()
        self._empty: str | None = None
        self._at = 0
        self._roles_of_empty: set[str] = set()
        self.roles: list[str] = []

    @property
    def sees_all(self) -> bool:
        """Whether no row security hides rows from the reader, not even one that is forced on owners."""
        asked = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        return self.reader.execute(asked).fetchone() == (True,)

    @property
    def conninfo(self) -> str:
        """Of the filled database."""
        return self._filled

    def __enter__(self) -> Self:
        try:
            self._roles_of_empty = self._scratch.roles()
            self._open(None)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._all, self._now:
            pass

    def apply(self, script: Script) -> None:
        """Apply a migration to the filled database.

        Raises:
            Refused: As `apply_script`.
        """
        self._run(self._filled, apply_script, script)

    def roll_back(self, script: Script) -> None:
        """Apply the rollback of a migration to the filled database.

        Raises:
            TargetError: As `apply_rollback`.
        """
        self._run(self._filled, apply_rollback, script)

    def renew(self, migrations: int) -> None:
        """Put another database in the place of the filled one, with the first migrations applied and no rows given.

        Args:
            migrations: How many; never fewer than the last time.

        Raises:
            Refused: One of them is refused on tables without rows, too.
        """
        self._now.close()
        self._now = ExitStack()
        self._forget_roles()
        if self._empty is None:
            self._empty = self._all.enter_context(self._scratch.database())
            self._begin(self._empty)
        while self._at < migrations:
            try:
                self._run(self._empty, apply_script, self._scripts[self._at])
            except Refused as refused:
                refused.hint = (
                    "It went through on tables with rows; without them it does not, so that no new database can be made"
                    " from these migrations. Let it pass where there are no rows."
                )
                raise
            self._at += 1
        self._roles_of_empty = self._scratch.roles()
        self._open(self._empty)

    def _forget_roles(self) -> None:
        """Drop the roles that migrations made behind those of the empty database: it is to be given these now."""
        if self._scratch.own:
            self._scratch.drop_roles(self._scratch.roles() - self._roles_of_empty - set(self.roles))

    def _open(self, copy_of: str | None) -> None:
        self._filled = self._now.enter_context(self._scratch.database(copy_of=copy_of))
        if copy_of is None:
            self._begin(self._filled)
        self.reader = self._now.enter_context(connect(self._filled, autocommit=True))
        self.giver = self._now.enter_context(connect(self._filled, autocommit=True))

    def _begin(self, conninfo: str) -> None:
        for one in self._before:
            self._run(conninfo, apply_script, one)

    def _run(self, conninfo: str, what: Callable[..., None], script: Script) -> None:
        # a session of its own, as a deployment has: what a migration sets is gone with it
        try:
            with connect(conninfo, autocommit=True) as connection:
                what(connection, script, mend=self._mend)
        except Refused as refused:
            raise _explained(refused, own=self._scratch.own) from None

    def _mend(self, fault: psycopg.Error) -> bool:
        """Make a role that is missing, where the server is thrown away; True where it may go on now."""
        found = _NO_ROLE.search(fault.diag.message_primary or "")
        if found is None or not self._scratch.own or found[1] in self.roles:
            return False
        self._scratch.make_role(found[1])
        self.roles.append(found[1])
        return True


def _explained(refused: Refused, *, own: bool) -> TargetError:
    """Return a refusal that the scratch server is the reason of as one that says so."""
    said = refused.fault.diag.message_primary or ""
    if _LACKING.search(f"{said} {refused.fault.diag.message_detail or ''}"):
        return TargetError(
            refused.message,
            code="scratch-lacks",
            where=refused.where,
            hint="The scratch server has not what it needs. Give --scratch postgresql://… of a server that has it, and"
            " a role that may make databases there.",
        )
    if isinstance(refused.fault, MISSING):
        refused.hint = "Correct it. What somebody else makes before it stands in before.sql beside the migrations."
    if _NO_ROLE.search(said):
        refused.hint = "Make the role on the scratch server, or leave --scratch out: there, roles are made as needed."
    if _ROLE_THERE.search(said) and not own:
        refused.hint = (
            "A role is the server's and outlives a scratch database. Leave --scratch out, or drop it there if it is of"
            " an earlier rehearsal."
        )
    return refused
