"""Tokens of sign-in links: the link holds it, the database its hash, as Auth.js does. Pure."""

from __future__ import annotations

import hashlib
import secrets
from urllib.parse import urlencode

LINK_HOURS = 24


def new_token() -> str:
    """Return what a new link holds: 32 random bytes, in hex."""
    return secrets.token_hex(32)


def hash_of(token: str, secret: str) -> str:
    """Return what the database keeps of it: the SHA-256 of the token and AUTH_SECRET, in hex."""
    return hashlib.sha256(f"{token}{secret}".encode()).hexdigest()


def link_of(public_url: str, token: str, email: str) -> str:
    """Return the link that signs its reader in."""
    return f"{public_url}/api/auth/callback/email?{urlencode({'token': token, 'email': email})}"
