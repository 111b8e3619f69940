"""The routes behind mailed links other than those that sign in: a provider's sign-in, a change of address.

A link leads to a page of the site, and that page sends its token here: programs that follow links do nothing by it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, BackgroundTasks, Request, Response
from pydantic import StringConstraints
from starlette.responses import JSONResponse

from ...web.bodies import Input, Output
from ...web.database import Db
from ...web.errors import answer, bad
from ..addresses import email_of, fold
from ..mail import Letter
from ..resources import Open, Resources
from . import letters
from .asking import Host
from .claiming import claim_behind
from .cookie import forget_cookie, set_cookie
from .current import User
from .email_change import Asked, ask_for_change, change_address, forget_change
from .entering import enter
from .limits import count_request
from .posting import post
from .tokens import page_of
from .verification import complete_verification

router = APIRouter(tags=["sign-in"])

Token = Annotated[str, StringConstraints(max_length=255)]
Text = Annotated[str, StringConstraints(max_length=1_000)]


class Confirmed(Input):
    """What a mailed link held."""

    token: Token | None = None


class ChangeWanted(Input):
    """The address that somebody wants to have."""

    new_email: Text | None = None


class VerifiedAnswer(Output):
    """Who is signed in now."""

    email: str


class ChangeAsked(Output):
    """That a mail to the new address asks for its confirmation."""

    status: Literal["sent"] = "sent"


class ChangedAnswer(Output):
    """The address that signs in from now on."""

    email: str


@router.post("/api/auth/complete-oauth-verification", response_model=VerifiedAnswer)
async def verify(
    confirmed: Confirmed, request: Request, response: Response, later: BackgroundTasks, db: Db, resources: Open
) -> VerifiedAnswer | JSONResponse:
    """Let a sign-in with a provider be that of an address: the account is linked, and its user signed in.

    400 without a token (`token-missing`), with one that is none or was used (`token-invalid`) or has expired
    (`token-expired`).
    """
    settings = resources.settings
    user = await complete_verification(db, settings.auth_secret.get_secret_value(), _token(confirmed))
    if user is None:
        return _expired()
    email = fold(user.email)
    set_cookie(response, settings, await enter(db, request, settings, user.id))
    later.add_task(claim_behind, resources, user.id)
    return VerifiedAnswer(email=email)


@router.post("/api/user/request-email-migration", status_code=202)
async def ask(
    wanted: ChangeWanted, host: Host, user: User, later: BackgroundTasks, db: Db, resources: Open
) -> ChangeAsked:
    """Ask the new address whether it is the person's, by mail. Nothing changes until then.

    400 for what is no address (`email-invalid`), the same one (`email-same`), and while a change of this user waits
    (`change-pending`). The answer does not tell whether somebody has the address: the mail to it does.
    """
    settings = resources.settings
    new = email_of(wanted.new_email or "")
    if new is None:
        raise bad("This is no e-mail address", "email-invalid")
    asked = await ask_for_change(resources, db, user.id, new)
    await count_request(db, settings, new, host)  # behind MongoDB: the host's count is others' too
    if asked.token is None:
        letter = letters.address_taken(new, f"{settings.public_url}/signin")
    else:
        letter = letters.change_address(new, page_of(settings.public_url, "confirm-address", asked.token))
    later.add_task(_post_or_forget, resources, letter, asked)
    return ChangeAsked()


@router.post("/api/user/complete-email-migration", response_model=ChangedAnswer)
async def complete(
    confirmed: Confirmed, response: Response, later: BackgroundTasks, db: Db, resources: Open
) -> ChangedAnswer | JSONResponse:
    """Change the address of whoever asked for it. Every session ends, and the old address is told.

    400 without a token (`token-missing`), with one that is none or was used (`token-invalid`) or has expired
    (`token-expired`), and where the address is in use by now (`email-in-use`).
    """
    changed = await change_address(resources, db, _token(confirmed))
    if changed is None:
        return _expired()
    forget_cookie(response, resources.settings)
    later.add_task(_tell_old, resources, changed.old, changed.new)
    return ChangedAnswer(email=changed.new)


def _token(confirmed: Confirmed) -> str:
    if not confirmed.token:
        raise bad("The link holds no token", "token-missing")
    return confirmed.token


def _expired() -> JSONResponse:
    """Answer, and let the transaction commit: an expired token is deleted."""
    return answer(400, "This link has expired; ask for a new one", "token-expired")


async def _post_or_forget(resources: Resources, letter: Letter, asked: Asked) -> None:
    if not await post(resources.mail, letter, "a mail that confirms an address"):
        await forget_change(resources, asked.id)


async def _tell_old(resources: Resources, old: str, new: str) -> None:
    if email_of(old) is not None:
        letter = letters.address_changed(old, new, resources.settings.mail_reply_to)
        await post(resources.mail, letter, "a mail to an old address")
