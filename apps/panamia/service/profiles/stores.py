"""What holds profiles, whichever database keeps them. Pure: the Protocol, and what it is asked.

Documents are in MongoDB's form on both sides (facts of the collection `profiles`): the rows' columns are turned into
it and back, see `columns`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from isthmus.polyglot.stores import DocumentStore, Stored
from isthmus.polyglot.switch import Home

COLLECTION = "profiles"
Claim = Literal["found", "claimed", "none", "taken", "ambiguous"]
"""As of `isthmus.polyglot.ensure`: of the last three the person has no profile."""


@dataclass(frozen=True)
class Wanted:
    """A page of the directory.

    Attributes:
        words: Each of them stands somewhere in a profile, in capitals or not.
        flags: Fields that are true, as `categories.food`; of each group one at least.
        behind: Slug and id of the last profile of the page before.
        limit: Most profiles.
    """

    words: tuple[str, ...] = ()
    flags: tuple[tuple[str, ...], ...] = ()
    behind: tuple[str, str] | None = None
    limit: int = 20


SEARCHED = ("name", "five_words", "tags", "details")
"""Where words are looked for."""


class Profiles(DocumentStore, Protocol):
    """Profiles, one at most for each user.

    Attributes:
        home: In which database they are.
    """

    home: Home

    async def of_user(self, user_id: str) -> Stored | None:
        """Return the profile of a user; None where there is none."""
        ...

    async def public(self, fields: Mapping[str, object]) -> Stored | None:
        """Return the active profile with these values; of several the first by id. None where there is none."""
        ...

    async def claim(self, user_id: str, email: str) -> tuple[Claim, Stored | None]:
        """Return the profile of a user; one that is nobody's and has the e-mail becomes it. None is ever made.

        Args:
            user_id: Of a user whose row is committed, or is in the transaction of the store.
            email: Proven to be the user's, in lower case.
        """
        ...

    async def page(self, wanted: Wanted) -> list[dict[str, Any]]:
        """Return active profiles that have a slug, as documents of what a list shows, by slug and then id."""
        ...

    async def slugs(self, beginning: str) -> set[str]:
        """Return the slugs that are this text, or this text and a number behind a dash."""
        ...
