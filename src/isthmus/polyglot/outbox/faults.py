"""What an error of MongoDB says of an event: nothing, for the server is in trouble; or that it was refused. Pure.

Trouble of the server is waited for, as long as it lasts, and counts against no event. A refusal is of one event: the
same write may be refused again each time, so it is tried a few times and then parked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pymongo.errors import InvalidName, OperationFailure, PyMongoError, WriteConcernError

_LOGIN = frozenset({18, 8000})
_REFUSALS = {
    13: "not-allowed",
    20: "not-supported",
    28: "path-not-viable",
    66: "immutable-field",
    121: "validation",
    10334: "too-large",
    11000: "duplicate-key",
    11001: "duplicate-key",
    17419: "too-large",
    17420: "too-large",
}
"""Codes of write errors (MongoDB, `src/mongo/base/error_codes.yml`)."""
_FULL_DISK = 14031
# What an index holds already, and what a validator found, may be of somebody else.
_VALUES = re.compile(r",? ?(?:dup key:|found value:).*", re.DOTALL)


@dataclass(frozen=True)
class Refusal:
    """MongoDB, or the state of the document, refuses an event.

    Attributes:
        fault: What it is: a slug.
        words: One sentence, without secrets and values.
        final: Whether trying it again cannot help: it is parked at once.
    """

    fault: str
    words: str
    final: bool = False


LIVES_ELSEWHERE = Refusal(
    "lives-elsewhere",
    "The collection lives in PostgreSQL now (isthmus switch): what is written to MongoDB would be read by nobody.",
    final=True,
)


def is_trouble(error: PyMongoError, *, passes: bool) -> bool:
    """Tell whether the server is in trouble, so that nothing is said of the event; it may have been written, or not.

    Args:
        error: What the driver raised.
        passes: Whether it is of those that pass by themselves, as `MongoServer.trouble` judges.
    """
    code = error.code if isinstance(error, OperationFailure) else None
    return passes or error.timeout or isinstance(error, WriteConcernError) or code in _LOGIN or code == _FULL_DISK


def refusal(error: PyMongoError, words: str) -> Refusal:
    """Return what is to be kept of an error that is of an event.

    Args:
        error: What the driver raised.
        words: The same on one line, without secrets.
    """
    code = error.code if isinstance(error, OperationFailure) else None
    fault = _REFUSALS.get(code or 0, f"code-{code}" if code else "driver")
    if isinstance(error, InvalidName):
        fault = "bad-name"
    return Refusal(fault, _VALUES.sub("", words))
