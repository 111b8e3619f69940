"""Instants that PostgreSQL has and Python has not: read as the nearest that Python has, written back as they were.

`infinity`, years from 10000 on and those before Christ stand in rows that were carried, or that others wrote. Read so,
they neither fail a request nor change when what was read is written, compared, or named in a cursor.
"""

from __future__ import annotations

import datetime
import re
import struct
from typing import Any

from psycopg import DataError, pq
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.types.datetime import TimestamptzLoader

FIRST = datetime.datetime(1, 1, 3, tzinfo=datetime.UTC)
LAST = datetime.datetime(9999, 12, 29, tzinfo=datetime.UTC)
"""Between them an instant is one of Python's in every time zone."""
_FOREVER, _EVER = 2**63 - 1, -(2**63)
"""`infinity` and `-infinity`, as PostgreSQL counts."""
_OLDEST, _BEHIND = -211_813_488_000_000_000, 9_223_371_331_200_000_000
"""What PostgreSQL can hold of others: from the first on, and less than the second (its timestamp.h)."""
_YEAR_2000 = 730_425
"""Days from the first of March of the year 0 to the first of January 2000."""
_SINCE = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_TIMESTAMPTZ = 1184
_TEXT = re.compile(
    rb"(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?"
)


class Beyond(datetime.datetime):
    """The nearest instant of Python's to one that it has not.

    Attributes:
        postgres: What it really is: microseconds since 2000, as PostgreSQL counts. None of what was reckoned from it.
    """

    postgres: int | None = None

    def __deepcopy__(self, _: dict[int, Any]) -> Beyond:
        """Return itself: nothing of it changes."""
        return self


def beyond(postgres: int) -> Beyond:
    """Return an instant that Python has not.

    Raises:
        ValueError: PostgreSQL has it neither.
    """
    if postgres not in {_EVER, _FOREVER} and not _OLDEST <= postgres < _BEHIND:
        raise ValueError("is no instant of PostgreSQL")
    nearest = LAST if postgres > 0 else FIRST
    found = Beyond(nearest.year, nearest.month, nearest.day, tzinfo=datetime.UTC)
    found.postgres = postgres
    return found


def _micros_of(text: bytes) -> int | None:
    """Return what PostgreSQL counts for an instant that it wrote (DateStyle ISO); None for what it writes otherwise."""
    if text in {b"infinity", b"-infinity"}:
        return _FOREVER if text == b"infinity" else _EVER
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(one) for one in found.groups()[:6])
    fraction, sign, *offset, before_christ = found.groups()[6:]
    seconds = hour * 3_600 + minute * 60 + second
    east = sum(int(one or 0) * weight for one, weight in zip(offset, (3_600, 60, 1), strict=True))
    seconds -= east if sign == b"+" else -east
    days = _days(1 - year if before_christ else year, month, day)
    return (days * 86_400 + seconds) * 1_000_000 + int((fraction or b"").ljust(6, b"0"))


def _days(year: int, month: int, day: int) -> int:
    """Return the days from the first of January 2000 to a day of any year; years begin with March here."""
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 1 - _YEAR_2000


class _Loader(TimestamptzLoader):
    """Reads what Python has as ever, and all else as `Beyond`; in UTC, whatever the time zone of the session."""

    def load(self, data: Buffer) -> datetime.datetime:
        try:
            found = super().load(data)
            if FIRST <= found <= LAST:
                return found.astimezone(datetime.UTC)
        except (DataError, OverflowError):
            pass
        micros = _micros_of(bytes(data))
        return super().load(data) if micros is None else beyond(micros)


class _Dumper(Dumper):
    """Writes `Beyond` as what it really is."""

    format = pq.Format.BINARY
    oid = _TIMESTAMPTZ

    def dump(self, obj: Beyond) -> bytes:
        if obj.postgres is not None:
            return struct.pack("!q", obj.postgres)
        return struct.pack("!q", _count(obj))


def _count(at: datetime.datetime) -> int:
    return (at - _SINCE) // datetime.timedelta(microseconds=1)


def read_instants(adapters: AdaptersMap) -> None:
    """Let connections with these adapters read and write all instants of PostgreSQL."""
    adapters.register_loader("timestamptz", _Loader)
    adapters.register_dumper(Beyond, _Dumper)
