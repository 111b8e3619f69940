"""Which fields hold secrets, by their names: their values are not shown, and a mapping calls them sensitive. Pure.

A name is only a guess, and a wrong guess should hide too much: `key` is hidden although it may be any key. What is said
*about* a secret (`passwordChangedAt`, `token_type`, `keyCount`) is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_WORD = re.compile(r"s3(?![0-9])|[A-Z]+s?(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")

_SECRETS = frozenset(
    [
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "secret",
        "token",
        "credential",
        "jwt",
        "bearer",
        "cookie",
        "otp",
        "totp",
        "cvv",
        "cvc",
        "cvv2",
        "cvc2",
        "ssn",
        "iban",
        "salt",
        "mnemonic",
        "passwort",
        "kennwort",
        "senha",
        "contrasena",
        "clave",
        "heslo",
        "haslo",
        "wachtwoord",
        "parola",
        "motdepasse",
        "пароль",
        "密码",
        "密碼",
        "パスワード",
    ]
)
"""Words that say it wherever they stand in a name."""

_LAST = frozenset({"key", "pass", "pin", "card", "passport"})
"""Words that say it at the end of a name: `apiKey`, `userPass`; not `keyword`, `passenger`, `cardTitle`."""

_OPEN_KEYS = frozenset(
    [
        "public",
        "primary",
        "foreign",
        "sort",
        "partition",
        "shard",
        "cache",
        "natural",
        "composite",
        "unique",
        "index",
        "idempotency",
        "storage",
        "object",
        "s3",
        "file",
        "translation",
        "i18n",
        "locale",
        "message",
        "routing",
        "row",
        "column",
        "answer",
        "map",
        "hot",
        "short",
        "foreign",
        "registry",
        "group",
        "issue",
        "project",
    ]
)
"""What stands before `key` where it is no secret."""

_OPEN_CARDS = frozenset({"business", "id", "score", "report", "post", "punch", "kanban", "wild", "flash", "v"})

_TOGETHER = (
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "authkey",
    "accesskey",
    "secretkey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "accesstoken",
    "refreshtoken",
    "sessiontoken",
    "sessionstate",
    "resettoken",
    "authtoken",
    "idtoken",
    "clientsecret",
    "creditcard",
    "debitcard",
    "cardnumber",
    "cardno",
    "ccnumber",
    "pincode",
    "routingnumber",
    "bankaccount",
    "socialsecurity",
    "passportnumber",
    "passportno",
    "nationalid",
    "taxid",
    "recoverycode",
    "backupcode",
    "securitycode",
    "securityanswer",
    "verificationcode",
    "connectionstring",
    "passwort",
    "motdepasse",
)
"""Words that are also written as one, and found in whatever surrounds them."""

_ABOUT = frozenset(
    [
        "at",
        "on",
        "date",
        "time",
        "expires",
        "expiry",
        "expire",
        "expiration",
        "expired",
        "valid",
        "count",
        "counts",
        "type",
        "kind",
        "length",
        "size",
        "limit",
        "max",
        "min",
        "used",
        "usage",
        "total",
        "enabled",
        "required",
        "changed",
        "updated",
        "created",
        "verified",
        "status",
        "attempts",
        "attempt",
        "retries",
        "version",
        "policy",
        "hint",
        "name",
        "title",
        "url",
        "uri",
        "strength",
        "algorithm",
        "created",
    ]
)
"""Last words of names that tell something of a secret, and hold none: `tokenType`, `password_changed_at`."""


def is_sensitive(path: Sequence[str]) -> bool:
    """Tell whether what stands at a path is likely to be a secret: one of the keys on the way says so.

    Args:
        path: Keys; `[]` and `*` stand for any element and any key, and say nothing.
    """
    return any(_says_secret(key) for key in path)


def _says_secret(key: str) -> bool:
    plain = "".join(c for c in unicodedata.normalize("NFKD", key) if not unicodedata.combining(c))
    plain = unicodedata.normalize("NFC", plain)
    words = [_singular(word.lower()) for word in _WORD.findall(plain)]
    if not words or words[-1] in _ABOUT:
        return False
    if set(words) & _SECRETS:
        return True
    together = "".join(words)
    if any(one in together for one in _TOGETHER):
        return True
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "key":
        return before not in _OPEN_KEYS
    if last == "card":
        return before not in _OPEN_CARDS and not key.lower().endswith("s")
    return last in _LAST


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
