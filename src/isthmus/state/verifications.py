"""What verifications of a run came to, kept in `isthmus.verification`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import psycopg
from psycopg.types.json import Jsonb

from isthmus.connect.postgres import explain
from isthmus.errors import TargetError
from isthmus.state.ledgers import printable
from isthmus.state.statements import statement
from isthmus.state.up_to_date import bring_up_to_date

_MOST_OF_A_LAYER = 100
_LONGEST_CHARACTERS = 500


@dataclass(frozen=True)
class Verification:
    """One row of `isthmus.verification`.

    Attributes:
        id: Its number in this target.
        run: The run that was verified.
        started_at: When.
        seconds: How long it took.
        outcome: passed, failed or interrupted, as it is kept; see `verdict`.
        layers: By name: outcome, checked, unit, differences, columns, notes, lacking, seconds.
        differences: The first of each layer, as the report has them.
        version: Isthmus version that verified.
    """

    id: int
    run: int
    started_at: datetime
    seconds: float
    outcome: str
    layers: dict[str, dict[str, Any]]
    differences: list[dict[str, Any]]
    version: str

    @property
    def found(self) -> int:
        """How many differences there were, listed or not."""
        return sum(int(layer["differences"]) for layer in self.layers.values())

    @property
    def lacking(self) -> dict[str, str]:
        """Layers that could not look at all they are there for → at what not, as a sentence ends."""
        return {name: str(layer["lacking"]) for name, layer in self.layers.items() if layer.get("lacking")}

    @property
    def verdict(self) -> str:
        """passed, failed, interrupted, or partly: nothing differs, and a layer could not look at all."""
        return "partly" if self.outcome == "passed" and self.lacking else self.outcome

    def summary(self) -> dict[str, Any]:
        """Return its facts as JSON values, without columns and differences one by one."""
        told = ("outcome", "checked", "unit", "differences")
        return {
            "verification": self.id,
            "run": self.run,
            "started_at": self.started_at.isoformat(),
            "seconds": round(self.seconds, 3),
            "outcome": self.verdict,
            "layers": {name: {key: layer.get(key) for key in told} for name, layer in self.layers.items()},
            "isthmus_version": self.version,
        }


def keep(
    connection: psycopg.Connection[Any],
    run: int,
    verified: dict[str, Any],
    started_at: datetime,
    seconds: float,
    outcome: str,
    version: str,
) -> str | None:
    """Keep what a verification came to; a state of an older version is brought up to date first.

    What was found does not depend on its being kept, so a role that may only read, or a target that takes no writes, is
    no error.

    Args:
        connection: In autocommit mode.
        run: The run that was verified.
        verified: What the report gives as JSON: `layers` by name, and `differences`, of which the first are kept.
        started_at: When it began.
        seconds: How long it took.
        outcome: passed, failed or interrupted.
        version: Of this Isthmus.

    Returns:
        Why it was not kept, a sentence without its full stop; None when it was.
    """
    try:
        if not _exists(connection):
            bring_up_to_date(connection)
        connection.execute(
            statement("verification", "insert_verification"),
            {
                "run": run,
                "started_at": started_at,
                "seconds": seconds,
                "outcome": outcome,
                "layers": Jsonb(_storable(verified["layers"])),
                "differences": Jsonb(_storable(_first(verified["differences"]))),
                "version": version,
            },
        )
    except psycopg.errors.ForeignKeyViolation:
        return f"run {run} is no longer in the target"
    except psycopg.errors.InsufficientPrivilege:
        return "the role may not write to isthmus.verification"
    except psycopg.errors.ReadOnlySqlTransaction:
        return "the target takes no writes"
    except psycopg.Error as fault:
        return explain(fault)
    except TargetError as fault:
        return fault.message.removesuffix(".")
    return None


def latest(connection: psycopg.Connection[Any], run: int) -> Verification | None:
    """Return the newest verification of a run that says something.

    One that was stopped does so if it had found something. None when there is none, or the state is older than
    verifications.
    """
    if not _exists(connection):
        return None
    row = connection.execute(statement("verification", "latest_verification"), {"run": run}).fetchone()
    return Verification(*row) if row else None


def latest_whole(connection: psycopg.Connection[Any], run: int, layers: Collection[str]) -> Verification | None:
    """Return the newest verification of a run that came to its end and asked these layers, perhaps others too; None
    when there is none.
    """
    if not _exists(connection):
        return None
    row = connection.execute(
        statement("verification", "latest_whole_verification"), {"run": run, "layers": list(layers)}
    ).fetchone()
    return Verification(*row) if row else None


def _exists(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute(statement("verification", "exists")).fetchone()
    return bool(row and row[0])


def _first(differences: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the first differences of each layer."""
    taken: dict[str, int] = {}
    found: list[dict[str, Any]] = []
    for one in differences:
        layer = str(one["layer"])
        taken[layer] = taken.get(layer, 0) + 1
        if taken[layer] <= _MOST_OF_A_LAYER:
            found.append(one)
    return found


def _storable(value: Any) -> Any:
    """Return JSON values that jsonb can hold: no NUL, no half characters; long texts are shortened."""
    if isinstance(value, str):
        short = value if len(value) <= _LONGEST_CHARACTERS else value[: _LONGEST_CHARACTERS - 1] + "…"
        return printable(short)
    if isinstance(value, dict):
        return {printable(str(key)): _storable(one) for key, one in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list):
        return [_storable(one) for one in cast("list[Any]", value)]
    return value
