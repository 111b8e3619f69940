"""Tokens that are mailed: the link holds one, the database its hash, as Auth.js does. Pure."""

from __future__ import annotations

import hashlib
import secrets
import string
from urllib.parse import urlencode

LINK_HOURS = 24
"""How long a sign-in link works."""
MINUTES = 5
"""How long other links work."""

_LETTERS = string.ascii_letters + string.digits + "-_"


def new_token() -> str:
    """Return what a new sign-in link holds: 32 random bytes, in hex."""
    return secrets.token_hex(32)


def new_short_token() -> str:
    """Return what other links hold: 32 characters, 192 random bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(32))


def hash_of(token: str, secret: str) -> str:
    """Return what the database keeps of it: the SHA-256 of the token and AUTH_SECRET, in hex."""
    return hashlib.sha256(f"{token}{secret}".encode(errors="surrogatepass")).hexdigest()


def link_of(public_url: str, token: str, email: str) -> str:
    """Return the link that signs its reader in."""
    return f"{public_url}/api/auth/callback/email?{urlencode({'token': token, 'email': email})}"


def page_of(public_url: str, path: str, token: str) -> str:
    """Return the link to a page of the site that sends a token back. A program that only follows links does nothing."""
    return f"{public_url}/{path}?{urlencode({'token': token})}"
