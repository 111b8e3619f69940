"""What becomes of a sign-in with a provider.

How a provider is asked (the redirect there, the exchange of its code, the reading of its answer) belongs to whatever
speaks its protocol, and is not here. It ends with `Said`, which `signed_in_by_provider` judges: that is the seam.

    @router.get("/api/auth/callback/google")
    async def by_google(request: Request, later: BackgroundTasks, resources: Open) -> Response:
        said = Said("google", …)                                  # whoever speaks Google's protocol
        return await answer_to_provider(resources, request, said, later)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fastapi import BackgroundTasks, Request
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.errors import RefusedError
from ..addresses import email_of, fold
from ..mail import Letter
from ..resources import Resources
from ..settings import Settings
from . import letters
from .accounts import Kind, link_account, user_of_account
from .asking import asking_host
from .claiming import claim_behind
from .cookie import set_cookie
from .entering import enter
from .limits import count_request
from .policy import policy_of
from .posting import post
from .tokens import page_of
from .users import prove, user_signing_in
from .verification import forget_verification, make_verification

_LONGEST = 1_000
"""Characters."""

Fault = Literal["EmailRequired", "ProviderDisabled", "VerificationFailed", "AccessDenied"]
"""What the sign-in page is told."""


@dataclass(frozen=True)
class Said:
    """What a provider said of somebody, once it was sure.

    Attributes:
        provider: Its name, as `google` or `mastodon`.
        account_id: Who it is there; never changes.
        email: The address it knows; None where it tells none.
        name: How somebody is called there.
        image: Address of a picture.
        instance: Of Mastodon, which.
        kind: Of its protocol.
        given: Tokens that came along, as of `accounts.KEPT`; secrets.
    """

    provider: str
    account_id: str
    email: str | None
    name: str | None = None
    image: str | None = None
    instance: str | None = None
    kind: Kind = "oauth"
    given: Mapping[str, str | int] = field(default_factory=dict[str, str | int], repr=False)


@dataclass(frozen=True)
class SignedIn:
    """Somebody is signed in.

    Attributes:
        user_id: Who.
        email: Folded.
        session: Token of the session.
    """

    user_id: str
    email: str
    session: str = field(repr=False)


@dataclass(frozen=True)
class Asked:
    """A mail asks whether the address is theirs.

    Attributes:
        letter: To be sent once this is committed; None where the one sent before still is good.
        verification: Id of what waits, which goes where the letter cannot be sent; None as well.
    """

    letter: Letter | None = field(repr=False)
    verification: str | None


async def signed_in_by_provider(
    db: AsyncSession, settings: Settings, request: Request, said: Said
) -> SignedIn | Asked | Fault:
    """Sign somebody in whom a provider vouches for, or ask by mail first, as the policy has it.

    An account that was linked before signs its user in, whatever address the provider tells by now. All is of the
    caller's transaction; behind its commit the letter is sent, or the profile claimed (`claiming.claim_behind`).

    Args:
        db: The transaction.
        settings: Of the service.
        request: The browser's, on its way back from the provider: the session it had ends, its host is counted.
        said: What the provider said.

    Raises:
        RefusedError: 429: too many mails went to this address, or were asked for by this host.
    """
    email = email_of(said.email or "")
    policy = policy_of(said.provider, settings.oauth, said.instance)
    if email is None:
        return "EmailRequired"
    if policy == "disabled":
        return "ProviderDisabled"
    if not said.account_id or _shown(said.account_id) != said.account_id:
        return "AccessDenied"
    user = await user_of_account(db, said.provider, said.account_id)
    if user is None and policy == "verification-required":
        return await _ask(db, settings, asking_host(request, settings), said, email)
    if user is None:
        user = await user_signing_in(db, email, _shown(said.name), _shown(said.image))
    elif policy == "trusted" and fold(user.email) == email:
        prove(user)
    if user.locked_at is not None:
        return "AccessDenied"
    if not await link_account(db, user.id, said.provider, said.account_id, said.kind, said.given):
        return "AccessDenied"  # somebody else linked it this moment
    return SignedIn(user.id, fold(user.email), await enter(db, request, settings, user.id))


async def answer_to_provider(
    resources: Resources, request: Request, said: Said, later: BackgroundTasks
) -> RedirectResponse:
    """Do that in a transaction of its own, and return where the browser goes: the front page or the sign-in page."""
    settings = resources.settings
    try:
        async with resources.sessions.begin() as db:
            found = await signed_in_by_provider(db, settings, request, said)
    except RefusedError:  # too many mails to this address, or by this host
        found = "VerificationFailed"
    if isinstance(found, SignedIn):
        answer = RedirectResponse("/", 302)
        set_cookie(answer, settings, found.session)
        later.add_task(claim_behind, resources, found.user_id)
        answer.background = later
        return answer
    if isinstance(found, Asked):
        if found.letter is None or await post(resources.mail, found.letter, "a mail of verification"):
            return RedirectResponse("/signin?verificationSent=true", 302)
        async with resources.sessions.begin() as db:
            await forget_verification(db, found.verification)
        found = "VerificationFailed"
    return RedirectResponse(f"/signin?error={found}", 302)


async def _ask(db: AsyncSession, settings: Settings, host: str, said: Said, email: str) -> Asked:
    shown = {"name": _shown(said.name), "email": email, "image": _shown(said.image)}
    secret = settings.auth_secret.get_secret_value()
    made = await make_verification(db, secret, said.provider, said.account_id, email, shown)
    if made is None:
        return Asked(None, None)
    await count_request(db, settings, email, host)
    link = page_of(settings.public_url, "confirm-sign-in", made.token)
    return Asked(letters.verify_provider(email, said.provider, link), made.id)


def _shown(text: str | None) -> str | None:
    """Return a text of a provider's in one line, of which a database and a page can hold every character."""
    return "".join(one if one.isprintable() else " " for one in text).strip()[:_LONGEST] or None if text else None
