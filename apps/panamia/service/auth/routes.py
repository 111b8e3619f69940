"""Signing in and out, and who is signed in."""

from __future__ import annotations

import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from ...models import User as UserRow
from ..bodies import Output
from ..database import Db
from ..inputs import Email
from ..resources import Open
from .cookie import forget_cookie, set_cookie, token_of
from .current import User
from .links import consume, user_of
from .sessions import end_session, make_session

router = APIRouter(prefix="/api/auth", tags=["sign-in"])


class SessionUser(Output):
    """Who is signed in."""

    id: str
    email: str
    screenname: str | None
    role: str
    is_admin: bool


class SessionAnswer(Output):
    """A session."""

    user: SessionUser
    expires: datetime.datetime


@router.get("/callback/email", status_code=302, response_class=RedirectResponse)
async def consume_link(
    email: Annotated[Email, Query()], token: Annotated[str, Query(max_length=128)], db: Db, resources: Open
) -> RedirectResponse:
    """Sign in whoever comes with a link: once, and not after it has expired."""
    settings = resources.settings
    if not await consume(db, email, token, settings.auth_secret.get_secret_value()):
        return RedirectResponse("/signin?error=Verification", 302)
    now = datetime.datetime.now(datetime.UTC)
    user = await user_of(db, email)
    if user is None:
        user = UserRow(email=email, email_verified=now)
        db.add(user)
        await db.flush()
    elif user.locked_at is not None:
        return RedirectResponse("/signin?error=AccessDenied", 302)
    elif user.email_verified is None:
        user.email_verified = now
    answer = RedirectResponse("/", 302)
    set_cookie(answer, settings, await make_session(db, user.id, settings.session_days), settings.session_days * 86_400)
    return answer


@router.get("/session")
async def session(user: User) -> SessionAnswer:
    """Who is signed in."""
    return SessionAnswer(user=SessionUser.model_validate(user), expires=user.expires)


@router.post("/signout", status_code=204)
async def sign_out(request: Request, response: Response, db: Db, resources: Open) -> None:
    """End the session of whoever asks."""
    token = token_of(request.cookies)
    if token is not None:
        await end_session(db, token)
    forget_cookie(response, resources.settings)
