"""What a delivery adds to the books: documents whose rows were there before, and how many rows were delivered."""

from __future__ import annotations

import psycopg
from psycopg import sql

from isthmus.state.checkpoints import read_tallies
from isthmus.state.reports import KEPT
from isthmus.transfer.balance import Balance
from isthmus.transfer.existing.deliver import WRITTEN
from isthmus.transfer.existing.matching import BY_DEFAULT
from isthmus.transfer.job import Job

_VERDICT = "verdict-"


def enter_delivery(job: Job, connection: psycopg.Connection, balance: Balance) -> None:
    """Enter a delivery into books that were drawn of the stage.

    Documents whose row stays as it is are `kept`, not `copied`. The rows of each table are held against what the
    delivery sent and what it left.
    """
    tallies = read_tallies(connection, job.run.id)
    delivered, kept = tallies.get("delivered-rows", {}), tallies.get("kept-rows", {})
    balance.conflicts_by_default = sum(tallies.get(BY_DEFAULT, {}).values())
    balance.waiting_keys = tallies.get("pending-key", {})
    balance.came = tallies.get("resolved-waiting", {})
    balance.refused_waiting = tallies.get("refused-waiting", {})
    for kind, amounts in tallies.items():
        if not kind.startswith(_VERDICT):
            continue
        verdict = kind.removeprefix(_VERDICT)
        for collection, amount in amounts.items():
            balance.met_rows.setdefault(collection, {})[verdict] = amount
            if kind in KEPT:
                balance.collections[collection].copied -= amount
                balance.collections[collection].kept += amount
    for table in job.schema.tables.values():
        _hold(job, connection, balance, table.name, delivered.get(table.name, 0), kept.get(table.name, 0))
        if table.kind == "junction":
            balance.junctions[table.name] = delivered.get(table.name, 0)
            continue
        written = 0
        for collection in (name for name in table.collections if name in job.plans):
            rows = tallies.get(f"{WRITTEN}{collection}", {}).get(table.name, 0)
            balance.collections[collection].tables[table.name] = rows
            written += rows
        if written != delivered.get(table.name, 0):
            balance.differences.append(
                f"{table.name}: {written} rows were to be delivered, {delivered.get(table.name, 0)} were."
            )


def _hold(job: Job, connection: psycopg.Connection, balance: Balance, table: str, delivered: int, kept: int) -> None:
    """Hold what a delivery says of a table against the rows that were settled, which are still there."""
    row = connection.execute(
        sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(job.schema.schema, table))
    ).fetchone()
    staged = int(row[0]) if row else 0
    if staged != delivered + kept:
        balance.differences.append(
            f"{table}: {staged} rows were settled, {delivered} delivered and {kept} left as they were."
        )
