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
from ..service.auth.users import user_of
from ..service.database import open_engine, sessions_of
from .command import NotDoneError, email_in, ended, settings_for, words_of

_WHAT = "Make a sign-in link for an address, in place of those it has, and print it."
_EPILOG = (
    "Needs POSTGRES_URL, and AUTH_SECRET and PUBLIC_URL as the service has them.\n\n"
    "Exit codes: 0 it was made; 1 it was not: no address, no database, the user is locked."
)


async def _create(words: argparse.Namespace) -> int:
    email = email_in(words.email)
    settings = settings_for(mongodb=False)
    secret = settings.auth_secret.get_secret_value()
    engine = open_engine(settings.postgres_url.get_secret_value() if settings.postgres_url else "", 1)
    try:
        async with sessions_of(engine).begin() as db:
            user = await user_of(db, email)
            if user is not None and user.locked_at is not None:
                raise NotDoneError(f"{email} is locked: a link would sign nobody in.")
            await void_links(db, email)
            token = await make_link_token(db, email, secret)
            made = sa.select(VerificationToken.expires).where(VerificationToken.token == hash_of(token, secret))
            expires = (await db.execute(made)).scalar_one()
    finally:
        await engine.dispose()
    nobody = "" if user is not None else " Nobody has this address yet: whoever uses the link becomes a user."
    print(f"For {email}, once, until {expires.isoformat(timespec='seconds')}.{nobody}", file=sys.stderr)
    print(link_of(settings.public_url, token, email))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words say, and return the exit code."""
    return ended(_create, words_of("create_signin_link", _WHAT, _EPILOG), arguments)


if __name__ == "__main__":
    raise SystemExit(main())
