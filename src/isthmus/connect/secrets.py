"""Take passwords out of texts that people, logs and files get to see.

Knows URLs of any scheme (`scheme://user:password@host`), libpq's `key=value` strings, query parameters also with
percent-encoded names, and key-value pairs as JSON and Python print them. When in doubt it hides too much: a password
that was typed without its percent-encoding may hold `/`, `?`, `#` and `@`, so everything up to the last `@` of a URL
counts as password.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

HIDDEN = "***"

_KEYS = frozenset(
    {
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "token",
        "sslpassword",
        "pgpassword",
        "proxypassword",
        "tlscertificatekeyfilepassword",
        "sslpemkeypassword",
        "authmechanismproperties",
        "oauth_client_secret",
        "scram_client_key",
        "scram_server_key",
        "api_key",
        "apikey",
        "access_token",
    }
)
"""libpq's and MongoDB's connection options that hold secrets, and what other tools call them; lower case."""

_NAMES = "|".join(sorted(_KEYS, key=len, reverse=True))
# Only ASCII white space ends a value: a password may hold any other kind.
_USER_INFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^:/?#\s@\"'<>]*:)([^ \t\r\n\f\v<>]*)@")
_WHOLE_URL = re.compile(r"\A(\s*[A-Za-z][A-Za-z0-9+.-]*://[^:/?#\s@]*:)(.*)@", re.DOTALL)
_PARAMETER = re.compile(r"([?&])([^=&\s?#]+)=([^& \t\r\n\f\v#\"'<>]*)")
_QUOTED_PAIR = re.compile(rf"""(["'](?:{_NAMES})["']\s*:\s*)("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""", re.IGNORECASE)
_QUOTED = r"""'(?:\\.|[^'\\])*(?:'|\Z)|"(?:\\.|[^"\\])*(?:"|\Z)"""
_PLAIN = r"(?:\\.|[^ \t\r\n\f\v\\])+"
_PAIR = re.compile(rf"(?<![?&\w])((?:{_NAMES})\s*=\s*)({_QUOTED}|{_PLAIN})", re.IGNORECASE | re.DOTALL)


def hide(text: str, known: Iterable[str] = ()) -> str:
    """Return `text` with every secret in it replaced by `***`.

    Args:
        text: Any text: an address, a message of a driver, a line of a log.
        known: Secrets known from elsewhere; hidden wherever they stand, as they are and percent-encoded.
    """
    for secret in sorted({form for one in known for form in _forms(one)}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _WHOLE_URL.sub(rf"\1{HIDDEN}@", text)
    text = _USER_INFO.sub(rf"\1{HIDDEN}@", text)
    text = _PARAMETER.sub(_hide_parameter, text)
    text = _QUOTED_PAIR.sub(rf'\1"{HIDDEN}"', text)
    return _PAIR.sub(rf"\1{HIDDEN}", text)


def _forms(secret: str) -> set[str]:
    forms = {secret, unquote(secret), quote(secret, safe=""), quote(secret)}
    return {form for form in forms if form}


def _hide_parameter(match: re.Match[str]) -> str:
    if unquote(match[2]).casefold() not in _KEYS:
        return match[0]
    return f"{match[1]}{match[2]}={HIDDEN}"
