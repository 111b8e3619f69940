"""What scripts about one person share: their words, and how each ends: 0, or 1 with a sentence on why not."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NoReturn

from pymongo.errors import PyMongoError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from isthmus.errors import IsthmusError

from ..service.addresses import folded
from ..service.mongo import MongoAwayError
from ..web.errors import RefusedError


class NotDoneError(Exception):
    """Nothing was done, or not all; its text says why."""


class Words(argparse.ArgumentParser):
    """The words of a script. A mistake in them ends with 1, like everything that keeps a script from its work."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong."""
        self.print_usage(sys.stderr)
        self.exit(1, f"✗ {message}\n")


def words_of(name: str, what: str, epilog: str = "") -> Words:
    """Return the words that each script takes: one address."""
    parser = Words(
        prog=f"python -m apps.panamia.scripts.{name}",
        description=what,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("email", metavar="EMAIL", help="the address, in any case")
    return parser


def email_in(text: str) -> str:
    """Return an address as it is compared.

    Raises:
        NotDoneError: It is none.
    """
    email = folded(text)
    if email is None:
        raise NotDoneError(f"{text[:80]!r} is no e-mail address.")
    return email


def ended(
    work: Callable[[argparse.Namespace], Coroutine[Any, Any, int]], parser: Words, arguments: Sequence[str] | None
) -> int:
    """Do the work, and return the exit code; what keeps it from its end is one sentence on standard error."""
    words = parser.parse_args(arguments)
    try:
        return asyncio.run(work(words))
    except IsthmusError as fault:
        told = f"{fault} {fault.hint or ''}".strip()
    except (NotDoneError, MongoAwayError) as fault:
        told = str(fault)
    except RefusedError as fault:
        told = fault.error
    except DBAPIError as fault:  # its text may hold values
        state = getattr(fault.orig, "sqlstate", None)
        told = f"PostgreSQL refuses: {type(fault.orig).__name__} ({state})." if state else "PostgreSQL does not answer."
    except SQLAlchemyError as fault:
        told = f"PostgreSQL does not answer: {type(fault).__name__}."
    except PyMongoError as fault:
        told = f"MongoDB does not do it: {type(fault).__name__}."
    except KeyboardInterrupt:
        told = "Interrupted."
    print(f"✗ {told}", file=sys.stderr)
    return 1
