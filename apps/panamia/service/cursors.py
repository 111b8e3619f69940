"""Where a page of a list ends, so that the next one begins behind it whatever was added meanwhile. Pure.

Lists are sorted by an instant and then by id, so no two rows stand at the same place.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from .errors import RefusedError, bad

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_NEVER = "never"
_FORM = re.compile(rf"(-?[0-9]{{1,18}}|{_NEVER})\.([a-z0-9]{{1,64}})", re.ASCII)


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
        return f"{_NEVER if self.at is None else (self.at - _EPOCH) // _MICROSECOND}.{self.id}"


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
        return Cursor(_EPOCH + int(instant) * _MICROSECOND, key)
    except OverflowError:
        raise _none() from None


def _none() -> RefusedError:
    return bad("The cursor is none that was given", "cursor")
