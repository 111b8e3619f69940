"""The phases of the move, and what may be done in which order. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["copy", "rewrite"]


@dataclass(frozen=True)
class Phase:
    """One step of the move.

    Attributes:
        number: From 1, in the order of the move.
        name: For people.
        kind: `copy` carries collections to PostgreSQL; `rewrite` replaces old ids inside MongoDB documents.
        entries: Of a copy: the entries of the mapping that it carries. Of a rewrite: those whose ids it writes.
        authority: What is to be read and written in PostgreSQL from then on.
    """

    number: int
    name: str
    kind: Kind
    entries: tuple[str, ...]
    authority: str


PHASES = (
    Phase(
        1,
        "identity",
        "copy",
        ("users", "nextauth_users", "nextauth_accounts", "nextauth_verification_tokens"),
        "sign-in and users",
    ),
    Phase(2, "references", "rewrite", ("users", "nextauth_users"), "nothing; documents point at users in PostgreSQL"),
    Phase(3, "notifications", "copy", ("notifications",), "notifications"),
    Phase(4, "articles", "copy", ("articles",), "articles"),
    Phase(5, "profiles", "copy", ("profiles",), "profiles"),
    Phase(
        6,
        "the rest",
        "copy",
        (
            "mentorSessions",
            "followers",
            "userlists",
            "emailmigrations",
            "oauthverifications",
            "images",
            "signups",
            "newsletters",
            "contactus",
            "brevocontacts",
            "interactions",
            "events",
            "links",
            "podcasts",
            "intake_forms",
        ),
        "everything",
    ),
)


def phase(number: int) -> Phase | None:
    """Return the phase with a number; None for no such."""
    return next((one for one in PHASES if one.number == number), None)


@dataclass(frozen=True)
class Item:
    """Something that a person must have looked at before the next phase.

    Attributes:
        kind: `letter`, `conflict`, `orphan` or `unmapped`.
        key: What tells it from others of the phase, over all later runs.
        shown: One line about it.
        acknowledged: The reason somebody gave; None while it is open.
    """

    kind: str
    key: str
    shown: str
    acknowledged: str | None = None


@dataclass(frozen=True)
class Standing:
    """How a phase stands.

    Attributes:
        run: The run, or the rewrite, that did it last; None while none did.
        finished_at: When that was complete; None while it is not.
        verified_at: When a verification of that run passed; None while none did.
        failed: What the last verification of it came to, where it is not passed.
        items: What is to be looked at.
        needed: False of a rewrite where the source is a dump, whose documents nobody changes.
    """

    phase: Phase
    run: int | None = None
    finished_at: datetime.datetime | None = None
    verified_at: datetime.datetime | None = None
    failed: str | None = None
    items: Sequence[Item] = field(default_factory=tuple[Item, ...])
    needed: bool = True

    @property
    def open(self) -> list[Item]:
        """What nobody has acknowledged yet."""
        return [item for item in self.items if item.acknowledged is None]

    @property
    def word(self) -> str:
        """One word or two on how it stands."""
        if not self.needed:
            return "not on a dump"
        if self.run is None:
            return "not begun"
        if self.finished_at is None:
            return "interrupted"
        if self.verified_at is None:
            return f"verify {self.failed}" if self.failed else "not verified"
        return "done" if not self.open else f"{len(self.open):,} open"

    @property
    def is_done(self) -> bool:
        """Whether the next phase may begin: complete, verified since, and nothing open."""
        return not self.needed or (self.finished_at is not None and self.verified_at is not None and not self.open)


def why_not_run(number: int, standings: Mapping[int, Standing]) -> str | None:
    """Say why a phase may not be run yet: a sentence; None where it may be, the first and any later time."""
    for before in PHASES:
        standing = standings[before.number]
        if before.number >= number:
            break
        if not standing.is_done:
            return f"Phase {before.number} ({before.name}) comes before it, and is: {standing.word}."
    return None


def why_not_undo(number: int, standings: Mapping[int, Standing]) -> str | None:
    """Say why a phase may not be undone: a sentence; None where it may be."""
    if standings[number].run is None:
        return f"Phase {number} was never run."
    later = [one for one in PHASES if one.number > number and standings[one.number].run is not None]
    if later:
        last = later[-1]
        return f"Phase {last.number} ({last.name}) was run after it: undo that first."
    return None


def next_step(standings: Mapping[int, Standing]) -> str | None:
    """Say what is to be done next, as the end of a command line; None when every phase is done."""
    for one in PHASES:
        standing = standings[one.number]
        if not standing.needed:
            continue
        if standing.run is None or standing.finished_at is None:
            return f"run {one.number}"
        if standing.verified_at is None:
            return f"verify {one.number}"
        if standing.open:
            return f"items {one.number}"
    return None
