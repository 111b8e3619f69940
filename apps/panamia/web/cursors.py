"""Where a page of a list ends, so that the next one begins behind it whatever was added meanwhile. Pure.

Lists are sorted by an instant and then by id, so no two rows stand at the same place. An instant that Python has not
is named as PostgreSQL counts, so no row is passed over because of it.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

import sqlalchemy as sa

from .errors import RefusedError, bad
from .instants import Beyond, beyond

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_NEVER, _BEYOND = "never", "x"
_FORM = re.compile(rf"({_BEYOND}?-?[0-9]{{1,19}}|{_NEVER})\.([a-z0-9]{{1,64}})", re.ASCII)


@dataclass(frozen=True)
class Cursor:
    """The last row of a page.

    Attributes:
        at: Its instant; None of a row that has none.
        id: Its key.
    """

    at: datetime.datetime | None
    id: str

    def __str__(self) -> str:
        """Return it as it travels: microseconds since 1970, and the key."""
        if self.at is None:
            return f"{_NEVER}.{self.id}"
        if isinstance(self.at, Beyond) and self.at.postgres is not None:
            return f"{_BEYOND}{self.at.postgres}.{self.id}"
        return f"{_micros(self.at)}.{self.id}"

    def before(
        self,
        at: sa.SQLColumnExpression[datetime.datetime] | sa.SQLColumnExpression[datetime.datetime | None],
        key: sa.SQLColumnExpression[str],
    ) -> sa.ColumnElement[bool]:
        """Return which rows are behind it where the latest come first."""
        return sa.tuple_(at, key) < sa.tuple_(sa.literal(self.at, sa.DateTime(timezone=True)), sa.literal(self.id))


def cursor_of(text: str | None, *, undated: bool = False) -> Cursor | None:
    """Return the place that a request names; None for the beginning.

    Args:
        text: As it came.
        undated: Whether a row of the list may have no instant.

    Raises:
        RefusedError: No page ended there (400, code `cursor`).
    """
    if text is None:
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        raise _none()
    instant, key = found.groups()
    if instant == _NEVER:
        if not undated:
            raise _none()
        return Cursor(None, key)
    try:
        if instant.startswith(_BEYOND):
            return Cursor(beyond(int(instant.removeprefix(_BEYOND))), key)
        return Cursor(_EPOCH + int(instant) * _MICROSECOND, key)
    except (OverflowError, ValueError):
        raise _none() from None


def _micros(at: datetime.datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _none() -> RefusedError:
    return bad("The cursor is none that was given", "cursor")
