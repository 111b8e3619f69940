"""Addresses that people send, and those that were carried. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints, TypeAdapter, ValidationError

from .mail.letter import UndeliverableError, address_of

LONGEST_EMAIL = 254
"""Characters, as RFC 5321 allows for a path less its brackets."""
_LONGEST_CARRIED = 1_000
_SPECIAL = '"(),:;<>[\\]'
"""What an address holds only in quotes (RFC 5322); nobody's does."""


def fold(email: str) -> str:
    """Return an address as addresses are compared: trimmed, in lower case."""
    return email.strip().lower()


def folded(text: str) -> str | None:
    """Return an address as `fold` does; None for what can be none.

    Of carried people there are addresses that `Email` refuses.
    """
    text = fold(text)
    sound = 3 <= len(text) <= _LONGEST_CARRIED and "@" in text and text.isprintable()
    return text if sound else None


def _address(text: str) -> str:
    """Refuse what no mail can go to, and what a mail server could take for another address or for several."""
    if not text.isprintable() or any(one in _SPECIAL for one in text) or text.count("@") != 1:
        raise ValueError("is no e-mail address")
    try:
        address_of(text)
    except UndeliverableError:
        raise ValueError("is no e-mail address") from None
    return text


Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, min_length=3, max_length=LONGEST_EMAIL),
    AfterValidator(_address),
]
"""An e-mail address that mail can go to, trimmed and in lower case."""
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)


def email_of(text: str) -> str | None:
    """Return an address that mail can go to, as `Email` has it; None where the text is none."""
    try:
        return _EMAIL.validate_python(text)
    except ValidationError:
        return None
