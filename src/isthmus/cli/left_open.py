"""How many dead letters, conflicts and orphans the last copies left, what somebody acknowledged told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from isthmus.state.acknowledgements import Kind, read_items
from isthmus.state.last_copies import Copies
from isthmus.state.reports import conflict_counts, letter_counts

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.state.orphans import OrphanCount


@dataclass(frozen=True)
class Counted:
    """Dead letters or conflicts that are alike.

    Attributes:
        kind: Which.
        run: The run that left them.
        place: Of letters the collection, of conflicts the table.
        how: Of letters the stage, of conflicts what was done.
        code: Of letters the cause; empty of conflicts.
        count: How many.
        known: How many of them somebody acknowledged.
    """

    kind: Kind
    run: int
    place: str
    how: str
    code: str
    count: int
    known: int

    def as_json(self, count: int) -> dict[str, Any]:
        """Return it as JSON values, with some count."""
        if self.kind == "letter":
            names = {"collection": self.place, "stage": self.how, "code": self.code}
        else:
            names = {"table": self.place, "action": self.how}
        return {"run": self.run, **names, "count": count}


def count_left(connection: psycopg.Connection[Any], copies: Copies) -> list[Counted]:
    """Return what the last copies left: letters by run, collection, stage and code, then conflicts by run and table."""
    return [*_letters(connection, copies), *_conflicts(connection, copies)]


def _letters(connection: psycopg.Connection[Any], copies: Copies) -> Iterator[Counted]:
    known = read_items(connection, "letter", copies.scope, open_too=False)
    done = Counter((item.run, item.collection, item.how, item.place) for item in known)
    for run in copies.runs:
        for collection, stage, code, count in letter_counts(connection, run.id):
            if collection in copies.carried.get(run.id, ()):
                yield Counted("letter", run.id, collection, stage, code, count, done[run.id, collection, stage, code])


def _conflicts(connection: psycopg.Connection[Any], copies: Copies) -> Iterator[Counted]:
    known = read_items(connection, "conflict", copies.scope, open_too=False)
    done = Counter((item.run, item.place, item.how) for item in known)
    for run, table, action, count in conflict_counts(connection, copies.scope):
        yield Counted("conflict", run, table, action, "", count, done[run, table, action])


def show_left(console: Console, left: Sequence[Counted], *, several: bool) -> None:
    """Print how many there are; `several`: with their runs."""
    from isthmus.cli.output import plural, show_paragraph

    for one in left:
        what = f"{one.place}: {one.code} ({one.how})" if one.kind == "letter" else f"{one.place}: {one.how}"
        noun = "dead letter" if one.kind == "letter" else "conflict"
        where = f", run {one.run}" if several else ""
        for number, name in ((one.count - one.known, noun), (one.known, f"acknowledged {noun}")):
            if number:
                show_paragraph(console, "  ", f"{plural(number, name)} in {what}{where}")


def show_orphans(console: Console, orphans: Sequence[OrphanCount], *, several: bool) -> None:
    """Print how many references led nowhere, and what was done; `several`: with their runs."""
    from isthmus.cli.output import plural, show_paragraph

    for one in orphans:
        policy = ", no policy stated" if one.by_default else ""
        where = f", run {one.run}" if several else ""
        what = f"{plural(one.count, 'orphan')} in {one.table}.{one.column}: {one.action}"
        show_paragraph(console, "  ", f"{what}{policy}{where}")


def show_earlier(console: Console, copies: Copies) -> None:
    """Print which earlier runs are the last copies of which collections; nothing where there are none."""
    from isthmus.cli.output import show_paragraph

    for run in copies.runs[:-1]:
        show_paragraph(console, "  earlier  ", f"run {run.id} carried {', '.join(copies.carried[run.id])} last")


def is_open(left: Sequence[Counted], kind: Kind) -> bool:
    """Tell whether there are some that nobody acknowledged."""
    return any(one.count > one.known for one in left if one.kind == kind)
