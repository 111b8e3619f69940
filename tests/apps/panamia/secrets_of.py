"""What in Pana MIA's documents lets whoever reads it in: read from the documents, and looked for in texts; no secrets
of its own.
"""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import bson
from pymongo import MongoClient

FIELDS: dict[str, tuple[str, ...]] = {
    "users": ("hashedPassword",),
    "nextauth_accounts": ("refresh_token", "access_token", "id_token", "session_state"),
    "nextauth_sessions": ("sessionToken",),
    "nextauth_verification_tokens": ("token",),
    "emailmigrations": ("migrationToken",),
    "oauthverifications": ("verificationToken",),
    "profiles": ("status.access",),
}
"""Collection → its secrets: tokens, hashes of passwords, what signs a link; read from the facts, not the mapping."""
SHORTEST, WINDOW, ENCODED = 10, 32, 64
"""No text so short that it stands somewhere by chance; and of longer ones so much of the beginning is looked for."""
_WORD = re.compile(r"[A-Za-z0-9_.+/=$~-]+")


def documents(source: str, collection: str) -> Iterator[dict[str, Any]]:
    """All documents of a collection, of a dump's folder or of a running server."""
    if source.startswith("mongodb"):
        with MongoClient[dict[str, Any]](source) as client:
            yield from client.get_default_database()[collection].find()
    else:
        with (Path(source) / f"{collection}.bson").open("rb") as file:
            yield from bson.decode_file_iter(file)


def secrets_of(source: str) -> dict[str, list[str]]:
    """Every secret, by collection and field, each once."""
    found: dict[str, list[str]] = {}
    for collection, paths in FIELDS.items():
        held: dict[str, dict[str, None]] = {f"{collection}.{path}": {} for path in paths}
        for document in documents(source, collection):
            for path in paths:
                value: Any = document
                for word in path.split("."):
                    value = value.get(word) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
                if isinstance(value, str) and len(value) >= SHORTEST:
                    held[f"{collection}.{path}"][value] = None
        found |= {place: list(values) for place, values in held.items()}
    return found


def forms(secret: str) -> Iterator[str]:
    """The secret as a text may have it: as it is, in hex, in base64 wherever it begins in what was encoded."""
    raw = secret.encode()
    yield secret
    yield raw.hex()
    yield raw.hex().upper()
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            # the first and the last group also hold what stands beside it
            yield encode(b"\0" * before + raw).decode()[4 if before else 0 : -4]


class Finder:
    """Finds secrets in texts, in one pass for each length.

    Args:
        secrets: By place.
    """

    def __init__(self, secrets: dict[str, list[str]]) -> None:
        self._places: dict[int, dict[str, str]] = {}
        for place, values in secrets.items():
            for value in values:
                for number, form in enumerate(forms(value)):
                    head = form[: ENCODED if number else WINDOW]
                    if len(head) >= SHORTEST:
                        self._places.setdefault(len(head), {})[head] = place

    def places(self, text: str) -> set[str]:
        """Whose secrets stand in a text."""
        found: set[str] = set()
        words = set(_WORD.findall(text))
        for length, places in self._places.items():
            for word in words:
                if len(word) >= length:
                    found |= {
                        places[word[at : at + length]]
                        for at in range(len(word) - length + 1)
                        if word[at : at + length] in places
                    }
        return found


def by_text(finder: Finder, texts: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Whose secrets stand in which texts; those with none are left out."""
    return {name: places for name, text in texts if (places := finder.places(text))}
