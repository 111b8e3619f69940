"""The stored books of a run while its letters are answered: every transaction that changes them writes them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import psycopg

from isthmus import __version__
from isthmus.errors import InternalError
from isthmus.state.checkpoints import add_tally, rows_of
from isthmus.state.retries import (
    Retry,
    read_books,
    store_books,
)
from isthmus.transfer.balance import Balance, balance_from_json
from isthmus.transfer.job import Job
from isthmus.transfer.letters.shift import Shift, imbalance, shifted
from isthmus.transfer.staging import pair_tables


class Books:
    """The stored books of the run while its letters are answered, as this session knows them.

    Args:
        job: The retry.
        connection: Reads them now.
        fingerprint: Of the mapping.
        mapping_text: Its file.
    """

    def __init__(self, job: Job, connection: psycopg.Connection, fingerprint: str, mapping_text: str) -> None:
        self._job = job
        balance, retries = read_books(connection, job.run.id)
        self.balance: Balance = balance_from_json(balance)
        self._retries = [Retry(**one) for one in retries]
        self._fingerprint, self._text = fingerprint, mapping_text
        self._sides: dict[str, set[str]] = {}
        feeders = job.feeders if job.existing is None else ()  # of pairs that exist, none of the run's may be new
        for pairs in pair_tables(feeders, job.schema).values():
            self._sides.setdefault(pairs.junction, set()).add(f"{pairs.junction}.{pairs.other}")

    @property
    def retry(self) -> Retry | None:
        """What was done with this mapping so far; None while nothing was."""
        return next((one for one in self._retries if one.fingerprint == self._fingerprint), None)

    def write(self, connection: psycopg.Connection, shift: Shift) -> tuple[Balance, list[Retry]]:
        """Enter what a transaction did into tallies, balance and retries, inside it.

        Returns:
            What `committed` takes once it is.

        Raises:
            InternalError: The books would not balance (code `batch-unbalanced`).
        """
        run = self._job.run.id
        for (kind, name), amount in self._tallies(shift).items():
            add_tally(connection, run, kind, name, amount)
        balance = shifted(self.balance, shift)
        wrong = imbalance(balance, self._sides)
        if wrong is not None:
            raise InternalError(f"The books of a retry do not balance: {wrong}.", code="batch-unbalanced")
        return self._store(connection, balance, shift)

    def finish(self, connection: psycopg.Connection, balance: Balance) -> tuple[Balance, list[Retry]]:
        """Note that a retry came to its end, inside the caller's transaction; returns as `write`."""
        return self._store(connection, balance, Shift(), ended=True)

    def _store(
        self, connection: psycopg.Connection, balance: Balance, shift: Shift, *, ended: bool = False
    ) -> tuple[Balance, list[Retry]]:
        retry = self.retry or Retry(self._fingerprint, self._text, __version__)
        retry = Retry(
            fingerprint=retry.fingerprint,
            mapping_text=self._text,
            version=__version__,
            begun_at=retry.begun_at,
            ended_at=datetime.now(UTC).isoformat() if ended else None,
            carried=_sum(retry.carried, shift.copied + shift.joined),
            skipped=_sum(retry.skipped, shift.skipped),
            restored=_sum(retry.restored, shift.restored),
        )
        retries = [one for one in self._retries if one.fingerprint != self._fingerprint] + [retry]
        store_books(connection, self._job.run.id, balance.as_json(), retries)
        return balance, retries

    def _tallies(self, shift: Shift) -> Counter[tuple[str, str]]:
        """Return (kind, name) → amount, as finish and the balance keep them."""
        tallies: Counter[tuple[str, str]] = Counter()
        for collection, amount in (shift.copied + shift.joined).items():
            tallies["finish-letters", collection] -= amount
        for collection, amount in shift.joined.items():
            tallies["merged", collection] += amount
        for (collection, table), amount in shift.rows.items():
            tallies["rows", table] += amount
            if len(self._job.schema.tables[table].collections) > 1:
                tallies[rows_of(collection), table] += amount
        for kind, names in (
            ("skipped", shift.skipped),
            ("skips", shift.skips),
            ("references", shift.values),
            ("rows", shift.named),
            ("merged-pairs", shift.merged),
            *shift.changed.items(),
        ):
            for name, amount in names.items():
                tallies[kind, name] += amount
        if shift.delivery is not None:
            tallies.update(shift.delivery.tallies)
        return tallies

    def committed(self, written: tuple[Balance, list[Retry]]) -> None:
        """Take over what was committed."""
        self.balance, self._retries = written


def _sum(before: dict[str, int], more: Counter[str]) -> dict[str, int]:
    return {name: total for name in {**before, **more} if (total := before.get(name, 0) + more[name])}
