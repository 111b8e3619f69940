"""The phases of the move, and what may be done in which order. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
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
        left: Collections that are left behind on purpose, and retired with it.
        asked: Those of them that are carried where somebody asks for them.
    """

    number: int
    name: str
    kind: Kind
    entries: tuple[str, ...]
    authority: str
    left: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


PHASES = (
    Phase(
        1,
        "identity",
        "copy",
        ("users", "nextauth_users", "nextauth_accounts", "nextauth_verification_tokens"),
        "sign-in, users",
        left=("nextauth_sessions",),
        asked=("nextauth_sessions",),
    ),
    Phase(2, "references", "rewrite", ("users", "nextauth_users"), "nothing new"),
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
        kind: `letter` or `conflict`; `reference`, which no rewrite could write; `nowhere`, which leads to no row.
        key: What tells it from others of the phase, over all later runs.
        shown: One line about it.
        acknowledged: The reason somebody gave; None while it is open.
        number: Of a letter or a conflict the number that Isthmus has for it.
    """

    kind: str
    key: str
    shown: str
    acknowledged: str | None = None
    number: int | None = None


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
        half_undone: Whether an undo of it was ended before its end.
        only_other_ids: Whether all that is left of that are ids of other rows, which somebody must decide about.
        collections: What retiring it drops.
        retired: Those of them that are dropped, or were about to be.
        dropped: Those that are dropped.
        carries_asked: Whether a run carried what is carried only where somebody asks; an undo forgets that.
        returned: Dropped collections that are in MongoDB again; None where nobody has looked.
        goes_on: The options with which `retire` ends what it has begun.
    """

    phase: Phase
    run: int | None = None
    finished_at: datetime.datetime | None = None
    verified_at: datetime.datetime | None = None
    failed: str | None = None
    items: Sequence[Item] = field(default_factory=tuple[Item, ...])
    needed: bool = True
    half_undone: bool = False
    only_other_ids: bool = False
    collections: tuple[str, ...] = ()
    retired: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    carries_asked: bool = False
    returned: tuple[str, ...] | None = None
    goes_on: str = "--live --export FOLDER"

    @property
    def is_retired(self) -> bool:
        """Whether all its collections are dropped, and none is known to be there again."""
        return bool(self.collections) and set(self.collections) <= self.dropped and not self.returned

    @property
    def open(self) -> list[Item]:
        """What nobody has acknowledged yet."""
        return [item for item in self.items if item.acknowledged is None]

    @property
    def word(self) -> str:
        """One word or two on how it stands."""
        if not self.needed:
            return "not on a dump"
        if self.retired:
            return "retired" if self.is_retired else "half retired"
        if self.half_undone:
            return "half undone"
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
        done = self.finished_at is not None and self.verified_at is not None and not self.open
        return not self.needed or (done and not self.half_undone)


def why_not_run(number: int, standings: Mapping[int, Standing]) -> str | None:
    """Say why a phase may not be run yet: a sentence; None where it may be, the first and any later time."""
    if standings[number].retired:
        return f"Phase {number} is {standings[number].word}: its documents are not all in MongoDB any more."
    for before in PHASES:
        standing = standings[before.number]
        if before.number >= number:
            break
        if not standing.is_done:
            return f"Phase {before.number} ({before.name}) comes before it, and is: {standing.word}."
    return None


def why_not_undo(number: int, standings: Mapping[int, Standing], leads: Mapping[int, Collection[int]]) -> str | None:
    """Say why a phase may not be undone: a sentence; None where it may be.

    Args:
        number: The phase.
        standings: How all stand.
        leads: Phase → the phases whose collections its documents would lead to, by the ids that MongoDB knows.
    """
    standing = standings[number]
    if not standing.needed:
        return f"Phase {number} changes no dump, so there is nothing to undo."
    if standing.run is None:
        return f"Phase {number} was never run, or is undone already."
    if standing.retired:
        return f"Phase {number} is {standing.word}: its documents are not all in MongoDB any more."
    later = [one for one in PHASES if one.number > number and standings[one.number].run is not None]
    if later:
        last = later[-1]
        return f"Phase {last.number} ({last.name}) was run after it: undo that first."
    gone = [one for one in PHASES if one.number in leads.get(number, ()) and standings[one.number].retired]
    if gone:
        return f"Its documents would lead to those of phase {gone[0].number} ({gone[0].name}), which is retired."
    return None


def why_not_retire(number: int, standings: Mapping[int, Standing]) -> list[str]:
    """Say what of the order of the phases keeps one from being retired: sentences; none where nothing does."""
    standing, one = standings[number], PHASES[number - 1]
    if not standing.is_done:
        return [f"It is not done: {standing.word}."]
    rewrites = [
        other
        for other in PHASES
        if other.kind == "rewrite" and set(other.entries) & set(one.entries) and not standings[other.number].is_done
    ]
    return [
        f"Phase {other.number} ({other.name}), which replaces the ids of its documents in all others, is:"
        f" {standings[other.number].word}."
        for other in rewrites
    ]


def next_step(standings: Mapping[int, Standing]) -> str | None:
    """Say what is to be done next, as the end of a command line; None when every phase is done."""
    for one in PHASES:
        standing = standings[one.number]
        if not standing.needed:
            continue
        if standing.half_undone:
            return f"undo {one.number}" + ("" if standing.only_other_ids else " --live")
        if standing.returned:
            return f"retire {one.number}"
        if standing.retired and not standing.is_retired:
            return f"retire {one.number} {standing.goes_on}"
        if standing.run is None or standing.finished_at is None:
            return f"run {one.number}"
        if standing.verified_at is None:
            again = standing.failed is not None  # a run brings what was written since; a rewrite lists it too
            return f"{'run' if again else 'verify'} {one.number}"
        if standing.open:
            return f"items {one.number}"
    return None
