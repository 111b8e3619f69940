"""Which runs hold what counts today: of each collection the last that carried it, or one run that was named."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg

from isthmus.errors import ConfigError
from isthmus.state.acknowledgements import Scope, last_copies
from isthmus.state.runs import Run, read_run
from isthmus.state.statements import statement

_MOST_NAMED = 20


@dataclass(frozen=True)
class Copies:
    """The runs that a command looks at.

    Attributes:
        scope: Each run with a collection that counts of it; with None all that it left counts.
        runs: Those runs, by number; at least one.
    """

    scope: Scope
    runs: tuple[Run, ...]

    @property
    def newest(self) -> int:
        """Number of the newest of them."""
        return self.runs[-1].id

    @property
    def numbers(self) -> list[int]:
        """Their numbers."""
        return [run.id for run in self.runs]

    @cached_property
    def carried(self) -> dict[int, list[str]]:
        """By number, the collections of which a run is the last that carried them; empty where one run was named."""
        found: dict[int, list[str]] = {}
        for run, collection in self.scope:
            if collection is not None:
                found.setdefault(run, []).append(collection)
        return found


def copies_of(connection: psycopg.Connection[Any], newest: Run, number: int | None = None) -> Copies:
    """Return the last copy of each collection, whatever schema it was carried into; or one run, with all it left.

    Reads the state of older versions as well.

    Args:
        connection: The target.
        newest: Its newest run, which counts in any case.
        number: The run that was named; it counts with what later runs carried again, too.

    Raises:
        ConfigError: There is no such run (code `no-such-run`).
    """
    if number is not None:
        return Copies([(number, None)], (newest if number == newest.id else _named(connection, number),))
    schemas = [str(schema) for (schema,) in connection.execute(statement("run", "schemas")).fetchall()]
    scope = sorted(place for schema in schemas for place in last_copies(connection, schema))
    numbers = sorted({run for run, _ in scope} - {newest.id})
    earlier = [run for one in numbers if (run := read_run(connection, one)) is not None]
    return Copies(scope, (*earlier, newest))


def carried_since(connection: psycopg.Connection[Any], run: Run) -> dict[str, int]:
    """Return the collections that a later run than this carried into the same schema: name → the last that did."""
    last = last_copies(connection, run.target_schema)
    return {str(name): number for number, name in last if number > run.id}


def _named(connection: psycopg.Connection[Any], number: int) -> Run:
    run = read_run(connection, number)
    if run is None:
        there = [str(one) for (one,) in connection.execute(statement("run", "numbers")).fetchall()]
        raise ConfigError(
            f"This target holds no run {number}.",
            code="no-such-run",
            hint=f"There {'are the runs' if len(there) > 1 else 'is the run'} {', '.join(there[-_MOST_NAMED:])}"
            + (" and earlier ones." if len(there) > _MOST_NAMED else "."),
        )
    return run
