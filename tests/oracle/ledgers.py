"""What isthmus wrote into its own state about a run, read with plain SQL for the comparison of rows.

Blind spot: a comparison that takes its accounts from these ledgers believes them; tests that know the truth (planted
data) give their own accounts instead, or compare the ledgers with the truth first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from isthmus.verify.ledgers import accounts_of

__all__ = ["RunFacts", "accounts_of", "run_facts"]

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class RunFacts:
    """What the oracle needs to know of a run: the id key and what `now` was."""

    key: bytes
    now_us: int


def run_facts(connection: Connection) -> RunFacts:
    """Key and start of the latest run of a target."""
    row = connection.execute(
        "SELECT (SELECT key FROM isthmus.id_key), trunc(extract(epoch FROM started_at) * 1000000)::bigint"
        " FROM isthmus.run ORDER BY id DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    return RunFacts(bytes(row[0]), row[1])
