"""What rows and values went between two moments, as sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from isthmus.govern.catalog.model import Key
from isthmus.govern.catalog.naming import quoted
from isthmus.govern.rehearsing.contents import Contents, Rows, Values
from isthmus.work.amounts import plural


@dataclass(frozen=True)
class Loss:
    """What one table or column lost, or what changed in it.

    Attributes:
        place: `public.users` or `public.users.email`; a sequence's name.
        sentence: What an operator reads.
    """

    place: str
    sentence: str


def losses(before: Contents, after: Contents) -> list[Loss]:
    """Return what was there before and is not there after: rows, values, how far sequences were.

    Tables and columns that are gone as a whole are told where they held something.
    """
    found: list[Loss] = []
    for key, rows in sorted(before.tables.items()):
        found += _of_table(key, rows, after.tables.get(key))
    for key, last in sorted(before.sequences.items()):
        now = after.sequences.get(key)
        if last is None or key not in after.sequences:
            continue
        if now is None or (now > last if key in before.descending else now < last):
            given = "none" if now is None else f"{now:,}"
            found.append(
                Loss(
                    key.place,
                    f"{key.place}: the sequence had given {last:,} and is back at {given}, so that numbers come twice.",
                )
            )
    return found


def _of_table(key: Key, rows: Rows, now: Rows | None) -> Iterator[Loss]:
    if now is None:
        if rows.count:
            yield Loss(key.place, f"{key.place}: {plural(rows.count, 'row')} went with the table.")
        return
    if rows.count != now.count:
        lost = rows.count - now.count
        if lost > 0:
            yield Loss(key.place, f"{key.place}: {lost:,} of {plural(rows.count, 'row')} {_are(lost)} lost.")
        else:
            yield Loss(key.place, f"{key.place}: {plural(-lost, 'row')} came on top of {rows.count:,}.")
        return
    told = False
    for name, values in rows.columns.items():
        place = f"{key.place}.{quoted(name)}"
        if (said := _of_column(place, values, now.columns.get(name))) is not None:
            told = True
            yield Loss(place, said)
    if not told and rows.digest != now.digest and rows.columns.keys() == now.columns.keys():
        yield Loss(key.place, f"{key.place}: values stand in other rows than before.")


def _of_column(place: str, before: Values, now: Values | None) -> str | None:
    if now is None:
        return f"{place}: {plural(before.count, 'value')} went with the column." if before.count else None
    if before.count > now.count:
        lost = before.count - now.count
        return f"{place}: {lost:,} of {plural(before.count, 'value')} {_are(lost)} lost."
    if before.count < now.count:
        return f"{place}: {plural(now.count - before.count, 'value')} stand where there was none."
    return f"{place}: values are not what they were." if before.digest != now.digest else None


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
