"""Make a sign-in link for an address, in place of those it has: for whoever gets no mail.

    python -m apps.panamia.scripts.create_signin_link EMAIL

The link goes to standard output. Who has it is that person for the service: give it to nobody else.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import sqlalchemy as sa

from ..models import VerificationToken
from ..service.auth.links import make_link_token, void_links
from ..service.auth.tokens import hash_of, link_of
from ..service.auth.users import user_of, users_with_alternate
from .command import NotDoneError, email_in, ended, words_of
from .postgres import database_of, settings_for

_WHAT = "Make a sign-in link for an address, in place of those it has, and print it."
_EPILOG = (
    "Needs POSTGRES_URL, and AUTH_SECRET and PUBLIC_URL as the service has them.\n\n"
    "Exit codes: 0 it was made; 1 it was not: no address, no database, the user is locked."
)


async def _create(words: argparse.Namespace) -> int:
    email = email_in(words.email)
    settings = settings_for(needs={"POSTGRES_URL", "AUTH_SECRET"})
    secret = settings.auth_secret.get_secret_value()
    async with database_of(settings) as database, database.sessions.begin() as db:
        user = await user_of(db, email)
        if user is not None and user.locked_at is not None:
            raise NotDoneError(f"{email} is locked: a link would sign nobody in.")
        others = [] if user is not None else await users_with_alternate(db, email)
        await void_links(db, email)
        token = await make_link_token(db, email, secret)
        made = sa.select(VerificationToken.expires).where(VerificationToken.token == hash_of(token, secret))
        expires = (await db.execute(made)).scalar_one()
    print(f"For {email}, once, until {expires.isoformat(timespec='seconds')}.", file=sys.stderr)
    if user is None:
        print("Nobody has this address yet: whoever uses the link becomes a user.", file=sys.stderr)
    for other in others:
        print(f"It is a further address of {other}, whom this link does not sign in.", file=sys.stderr)
    print(link_of(settings.public_url, token, email))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words say, and return the exit code."""
    return ended(_create, words_of("create_signin_link", _WHAT, _EPILOG), arguments)


if __name__ == "__main__":
    raise SystemExit(main())
