"""Which addresses are one mailbox, as limits count them: whichever is written to, its owner gets the mail. Pure."""

from __future__ import annotations

import unicodedata

from ..mail.letter import UndeliverableError, address_of

_NO_DOTS = frozenset({"gmail.com", "googlemail.com"})
"""Where dots before the @ tell nobody apart, and both names are one service."""


def mailbox_of(email: str) -> str:
    """Return what all spellings of an address have in common; of what is no address, itself in lower case.

    The domain is as servers know it, in ASCII; what is before the @ is without capitals, other forms of the same
    letters, and a `+tag`. Two mailboxes may have it in common at a server that tells tags apart: good for counting, and
    for nothing else.
    """
    try:
        found = address_of(email)
    except UndeliverableError:
        return unicodedata.normalize("NFKC", email).casefold()
    domain = found.domain.lower().removesuffix(".")
    name = unicodedata.normalize("NFKC", found.username).casefold()
    name = name.partition("+")[0] or name
    if domain in _NO_DOTS:
        name, domain = name.replace(".", "") or name, "gmail.com"
    return f"{name}@{domain}"
