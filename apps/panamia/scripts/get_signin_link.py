"""List the sign-in links that an address has. A link itself cannot be shown again: only its hash is kept.

    python -m apps.panamia.scripts.get_signin_link EMAIL

What works at all is made by create_signin_link.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import sqlalchemy as sa

from ..models import VerificationToken
from .command import email_in, ended, words_of
from .postgres import database_of, settings_for

_WHAT = "List the sign-in links of an address: which work, and until when. None can be shown again."
_EPILOG = "Needs POSTGRES_URL.\n\nExit codes: 0 a link works; 1 none does, or the database cannot be asked."


async def _list(words: argparse.Namespace) -> int:
    email = email_in(words.email)
    async with database_of(settings_for(needs={"POSTGRES_URL"})) as database, database.sessions.begin() as db:
        query = sa.select(VerificationToken.expires, VerificationToken.expires > sa.func.now())
        query = query.where(sa.func.lower(VerificationToken.identifier) == sa.func.lower(email))
        found = (await db.execute(query.order_by(VerificationToken.expires.desc()))).all()
    for expires, works in found:
        print(f"{'works until' if works else 'expired'} {expires.isoformat(timespec='seconds')}")
    working = sum(works for _, works in found)
    if not working:
        which = "only links that have expired" if found else "no links"
        print(f"✗ {email} has {which}. create_signin_link makes one.", file=sys.stderr)
    return 0 if working else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words say, and return the exit code."""
    return ended(_list, words_of("get_signin_link", _WHAT, _EPILOG), arguments)


if __name__ == "__main__":
    raise SystemExit(main())
