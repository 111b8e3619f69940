"""The letters of sign-in, in words. Pure. Those with a link are secrets: who reads one is taken for who it is to."""

from __future__ import annotations

from ..mail import Letter
from .tokens import LINK_HOURS, MINUTES

_NOT_YOU = "If this was not you, do nothing: without the link nothing happens."


def sign_in(email: str, link: str) -> Letter:
    """The link that signs somebody in."""
    text = f"Sign in to Pana MIA with this link:\n\n{link}\n\nIt works once, for {LINK_HOURS} hours.\n{_NOT_YOU}\n"
    return Letter(email, "Sign in to Pana MIA", text)


def verify_provider(email: str, provider: str, link: str) -> Letter:
    """The link by which somebody confirms a sign-in with a provider. It holds nothing that was written there."""
    text = (
        f"Somebody signed in with {provider}, where this address is said to be theirs.\n"
        f"If it was you, confirm it:\n\n{link}\n\n"
        f"From then on whoever signs in there is you at Pana MIA. It works once, for {MINUTES} minutes.\n{_NOT_YOU}\n"
    )
    return Letter(email, f"Confirm your sign-in with {provider}", text)


def change_address(new: str, link: str) -> Letter:
    """The link by which somebody confirms a new address."""
    text = (
        f"You want this to be your address at Pana MIA. Confirm it:\n\n{link}\n\n"
        f"Then you sign in again with the new address, everywhere. It works once, for {MINUTES} minutes.\n{_NOT_YOU}\n"
    )
    return Letter(new, "Confirm your new address", text)


def address_taken(new: str, page: str) -> Letter:
    """What an address is told that somebody wants to have, and that is an account's or a profile's already."""
    text = (
        "Somebody who is signed in at Pana MIA wants this to be their address. It is known there already, so nothing\n"
        f"was changed. If it was you, sign in with this address instead:\n\n{page}\n\n"
        "If this was not you, do nothing.\n"
    )
    return Letter(new, "Your address is known at Pana MIA", text)


def address_changed(old: str, new: str, contact: str | None) -> Letter:
    """What the old address is told when it no longer is one.

    Args:
        old: Who is told.
        new: What it is now.
        contact: The address of people who help; None where settings name none.
    """
    whom = f"write to {contact}" if contact is not None else "tell the people of Pana MIA"
    text = (
        f"Your address at Pana MIA is now {new}; this one signs nobody in any more.\n"
        f"If this was not you, {whom} at once.\n"
    )
    return Letter(old, "Your address was changed", text)
