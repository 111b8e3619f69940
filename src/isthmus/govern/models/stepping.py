"""Walk a scratch database from one catalog to another, phase by phase, and write down what was executed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

import psycopg

from isthmus.connect.postgres import explain
from isthmus.errors import TargetError
from isthmus.govern.catalog.model import Catalog
from isthmus.govern.catalog.read import read_catalog
from isthmus.govern.models.columns_of import Casts
from isthmus.govern.models.plan import plan
from isthmus.govern.models.renames import Renaming
from isthmus.govern.models.sql_names import name, within
from isthmus.govern.models.step import Phase, Step, Style

Cut = Callable[[Catalog], Catalog]
"""What of a catalog counts."""


class Ground:
    """A scratch database, and what is known of it.

    Args:
        connection: To it, in autocommit mode.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.casts = casts_of(connection)
        self._known: Catalog | None = None

    def catalog(self) -> Catalog:
        """Return what is there."""
        if self._known is None:
            self._known = read_catalog(self.connection)
        return self._known

    def execute(self, step: Step) -> None:
        """Execute one statement.

        Raises:
            TargetError: The server does not take it (code `models-by-hand`).
        """
        self._known = None
        try:
            self.connection.execute(step.sql.encode())
        except psycopg.Error as fault:
            raise TargetError(
                f"The server does not take what would lead to the models: {explain(fault)}. The statement: {step.sql}",
                code="models-by-hand",
                hint="Write this change by hand (isthmus schema new without --from-models), then try again.",
            ) from None

    @contextmanager
    def put_back(self) -> Generator[None]:
        """Undo at the end of the context whatever was executed in it."""
        known = self._known
        with self.connection.transaction(force_rollback=True):
            yield
        self._known = known


class Walk:
    """A way through a scratch database.

    Args:
        ground: The database.
        cut: What of its catalog counts.

    Attributes:
        left: What could not be done, and what to do by hand.
    """

    def __init__(self, ground: Ground, cut: Cut) -> None:
        self.ground = ground
        self.left: list[str] = []
        self._cut = cut

    def now(self) -> Catalog:
        """Return what is there."""
        return self._cut(self.ground.catalog())

    def go(self, wanted: Catalog, style: Style, phases: Sequence[Phase], *, later: Sequence[str] = ()) -> list[Step]:
        """Execute what leads there in some phases; return what was executed.

        Args:
            wanted: Where to.
            style: How.
            phases: Which phases.
            later: Statements to execute before those of the phase ONLINE.

        Raises:
            TargetError: The server does not take a statement (code `models-by-hand`).
        """
        done: list[Step] = []
        self.left = []
        for phase in phases:
            found = plan(self.now(), wanted, style, self.ground.casts)
            steps = [one for one in found.steps if one.phase == phase]
            if phase == Phase.ONLINE:
                steps = [*(Step(phase, sql) for sql in later), *steps]
            for one in steps:
                self.ground.execute(one)
                done.append(one)
            self.left = found.left  # of the last: what came before it may have changed what can be done
        return done


def rename_step(one: Renaming, *, back: bool = False) -> Step:
    """Return what gives a thing its new name, or its old one back."""
    old, new = (one.new, one.old) if back else (one.old, one.new)
    note = None if back else "Whoever still uses the old name fails from here on: change them together."
    if one.kind == "table":
        return Step(Phase.ROOM, f"ALTER TABLE {within(one.schema, old)} RENAME TO {name(new)}", note)
    table = within(one.schema, one.table)
    return Step(Phase.ROOM, f"ALTER TABLE {table} RENAME COLUMN {name(old)} TO {name(new)}", note)


def casts_of(connection: psycopg.Connection) -> Casts:
    """Return a question to a server: how values of one type become another's. It leaves nothing behind."""
    known: dict[tuple[str, str], str] = {}

    def ask(old: str, new: str) -> str | None:
        if (old, new) in known:
            return known[old, new]
        for using in ("", "{}::" + new, "{}::text::" + new):
            with connection.transaction(force_rollback=True):
                ending = f" USING {using.format('c')}" if using else ""
                try:
                    connection.execute(f"CREATE TEMP TABLE isthmus_cast (c {old}) ON COMMIT DROP".encode())
                    connection.execute(f"ALTER TABLE isthmus_cast ALTER c TYPE {new}{ending}".encode())
                except psycopg.Error:
                    continue  # the type may come yet: that is not remembered
            known[old, new] = using
            return using
        return None

    return ask
