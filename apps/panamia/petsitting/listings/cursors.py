"""Where a page of found listings ends, so that the next one begins behind it whatever was added meanwhile. Pure.

They are sorted by a distance, a price or an instant, and then by key, so no two stand at the same place.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from decimal import Decimal

from ...web.cursors import Cursor, cursor_of
from ...web.errors import RefusedError, bad
from .rules import Sort

_FORM = re.compile(r"(?:(n)([0-9a-f]{16})|(p)([0-9]{1,9}(?:\.[0-9]{1,3})?))\.([a-z0-9]{1,64})", re.ASCII)
LONGEST = 100
"""Characters of one."""


@dataclass(frozen=True)
class End:
    """The last listing of a page.

    Attributes:
        at: Its distance in kilometres, or its price.
        id: Its key.
    """

    at: float | Decimal
    id: str

    def __str__(self) -> str:
        """Return it as it travels: a distance by its bits, so that it comes back as it was."""
        place = f"n{_bits(self.at)}" if isinstance(self.at, float) else f"p{self.at:f}"
        return f"{place}.{self.id}"


def end_of(text: str | None, sort: Sort) -> End | Cursor | None:
    """Return where the page before ended; None for the beginning.

    Raises:
        RefusedError: None of this order ended there (400, code `cursor`).
    """
    if sort == "newest" or text is None:
        return cursor_of(text)
    found = _FORM.fullmatch(text)
    if found is None or (found[1] is None) == (sort == "nearest"):
        raise _none()
    if found[1] is None:
        return End(Decimal(found[4]), found[5])
    distance = _float(found[2])
    if not 0 <= distance < 1e6:
        raise _none()
    return End(distance, found[5])


def _bits(number: float) -> str:
    return struct.pack(">d", number).hex()


def _float(bits: str) -> float:
    return float(struct.unpack(">d", bytes.fromhex(bits))[0])


def _none() -> RefusedError:
    return bad("The cursor is none that was given", "cursor")
