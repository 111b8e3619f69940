"""Signing in by a mailed link and out again, and who is signed in."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, BackgroundTasks, Query, Request, Response
from fastapi.responses import RedirectResponse

from ...web.bodies import Input, Output
from ...web.cookies import token_of
from ...web.database import Db
from ..addresses import Email, folded
from ..profiles.belonging import flags_of
from ..resources import Open
from . import letters
from .asking import Host
from .claiming import claim_behind
from .cookie import forget_cookie, set_cookie
from .current import User
from .entering import enter
from .expired import forget_expired
from .limits import count_request
from .links import consume, make_link_token
from .posting import post
from .sessions import end_session
from .tokens import link_of
from .users import user_of, user_signing_in

router = APIRouter(prefix="/api/auth", tags=["sign-in"])
_AHEAD = ("purpose", "sec-purpose", "x-purpose", "x-moz")
"""Headers of browsers that fetch a page before anybody wants to see it."""


class LinkWanted(Input):
    """Who wants to sign in."""

    email: Email


class LinkSent(Output):
    """That a link is on its way, if the address can get one; the answer is the same for all addresses."""

    status: Literal["sent"] = "sent"


class SessionUser(Output):
    """Who is signed in. Name and image are left empty: this answer goes to every page."""

    id: str
    email: str
    email_verified: datetime.datetime | None
    name: Literal[""] = ""
    image: Literal[""] = ""
    screenname: str | None
    role: str
    is_admin: bool
    pana_verified: bool
    legal_age_verified: bool
    is_mentoring_moderator: bool
    is_event_organizer: bool
    is_content_moderator: bool


class SessionAnswer(Output):
    """A session. Without the profile's database the flags of the profile are all false."""

    user: SessionUser
    expires: datetime.datetime


@router.post("/signin/email", status_code=202)
async def request_link(wanted: LinkWanted, host: Host, later: BackgroundTasks, db: Db, resources: Open) -> LinkSent:
    """Mail a sign-in link. The answer does not tell whether anybody has the address."""
    settings = resources.settings
    await count_request(db, settings, wanted.email, host)
    await forget_expired(db)
    user = await user_of(db, wanted.email)
    if user is None or user.locked_at is None:
        token = await make_link_token(db, wanted.email, settings.auth_secret.get_secret_value())
        letter = letters.sign_in(wanted.email, link_of(settings.public_url, token, wanted.email))
        later.add_task(post, resources.mail, letter, "a sign-in link")
    return LinkSent()


@router.head("/callback/email", include_in_schema=False)
async def look_at_link() -> Response:
    """Let programs that look at links before their reader does look: nothing is consumed."""
    return Response()


@router.get("/callback/email", status_code=302, response_class=RedirectResponse)
async def consume_link(
    request: Request,
    later: BackgroundTasks,
    db: Db,
    resources: Open,
    email: Annotated[str, Query(max_length=1_000)] = "",
    token: Annotated[str, Query(max_length=1_000)] = "",
) -> Response:
    """Sign in whoever comes with a link: once, and not after it has expired. Then go to the front page.

    Otherwise to `/signin?error=Verification`, or `AccessDenied` where the user is locked. Browsers that only fetch
    ahead get 503, and consume nothing.
    """
    settings = resources.settings
    if any("prefetch" in request.headers.get(name, "").lower() for name in _AHEAD):
        return Response(status_code=503)
    address = folded(email)
    if address is None or not await consume(db, address, token, settings.auth_secret.get_secret_value()):
        return RedirectResponse("/signin?error=Verification", 302)
    user = await user_signing_in(db, address)
    if user.locked_at is not None:
        return RedirectResponse("/signin?error=AccessDenied", 302)
    answer = RedirectResponse("/", 302)
    set_cookie(answer, settings, await enter(db, request, settings, user.id))
    later.add_task(claim_behind, resources, user.id)
    return answer


@router.get("/session")
async def session(user: User, db: Db, resources: Open) -> SessionAnswer:
    """Who is signed in."""
    flags = await flags_of(resources, db, user.id)
    shown = SessionUser(
        id=user.id,
        email=user.email,
        email_verified=user.email_verified,
        screenname=user.screenname,
        role=user.role,
        is_admin=user.is_admin,
        pana_verified=flags.pana_verified,
        legal_age_verified=flags.legal_age_verified,
        is_mentoring_moderator=flags.is_mentoring_moderator,
        is_event_organizer=flags.is_event_organizer,
        is_content_moderator=flags.is_content_moderator,
    )
    return SessionAnswer(user=shown, expires=user.expires)


@router.post("/signout", status_code=204)
async def sign_out(request: Request, response: Response, db: Db, resources: Open) -> None:
    """End the session of whoever asks."""
    token = token_of(request.cookies, is_secure=resources.settings.is_secure)
    if token is not None:
        await end_session(db, token)
    forget_cookie(response, resources.settings)
