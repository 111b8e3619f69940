"""Which run's dead letters a retry tries: one run at a time, and of each collection only those of its last copy."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from isthmus.errors import ConfigError
from isthmus.state.last_copies import carried_since, copies_of
from isthmus.state.reports import letter_counts
from isthmus.state.retries import retries_of
from isthmus.state.runs import Run
from isthmus.transfer.letters.result import Choice, Elsewhere


@dataclass(frozen=True)
class Tried:
    """The run whose letters are tried.

    Attributes:
        run: It.
        since: Collections that later runs carried again, each with the last that did. Their letters are not tried: they
            hold what the documents said before.
        elsewhere: Letters of the last copies that are of other runs.
    """

    run: Run
    since: dict[str, int]
    elsewhere: list[Elsewhere]


def run_to_try(connection: psycopg.Connection, newest: Run, number: int | None, choice: Choice) -> Tried:
    """Return the run whose letters are tried: the one that was named, else the only one that has some.

    A retry that did not come to its end counts like letters. Where there is neither, it is the newest.

    Args:
        connection: The target.
        newest: Its newest run.
        number: The run that was named.
        choice: Which letters are meant.

    Raises:
        ConfigError: There is no such run (code `no-such-run`), or several have letters (code `several-runs`).
    """
    copies = copies_of(connection, newest)
    letters = [
        Elsewhere(run.id, collection, code, count)
        for run in copies.runs
        for collection, _, code, count in letter_counts(connection, run.id)
        if collection in copies.carried.get(run.id, [])
    ]
    if number is None:
        meant = [one for one in letters if choice.meets(one.collection, one.code)]
        begun = {run.id for run in copies.runs if any(retried.ended_at is None for retried in retries_of(run))}
        numbers = sorted({one.run for one in meant} | begun) or [newest.id]
        if len(numbers) > 1:
            raise _several(meant, numbers)
        number = numbers[0]
    (run,) = copies_of(connection, newest, number).runs
    return Tried(run, carried_since(connection, run), [one for one in letters if one.run != run.id])


def _several(meant: list[Elsewhere], numbers: list[int]) -> ConfigError:
    told: list[str] = []
    for number in numbers:
        names = dict.fromkeys(one.collection for one in meant if one.run == number)
        told.append(f"run {number} ({', '.join(names) or 'a retry that did not come to its end'})")
    return ConfigError(
        f"A retry is of one run, and several have dead letters: {', '.join(told)}. Nothing was tried.",
        code="several-runs",
        hint=f"Name one after the other: {', '.join(f'--run {number}' for number in numbers)}.",
    )
