"""How something is planted: what is done to a document, what must become of it, and the place where that happens.

Two kinds of plants have one form in the catalogue: a `Plant` is a further document of a collection, a `Case` a person
(or two) with all the documents that tell who it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from bson import ObjectId

from apps.generating.outcomes import Outcome

Document = dict[str, Any]
End = Literal["copied", "merged", "skipped", "dead_letter"]
"""How a document ends: a row of its own, part of another's, left out with a reason, or kept as a dead letter."""


class Spot(Protocol):
    """Where something is planted: the document's number, and whom it may point at."""

    number: int
    """Of the document in its collection."""
    turn: int
    """How many of its kind are planted before it."""

    def person(self, shift: int = 0) -> int:
        """The number of a person with a sound user, sign-in, profile and screen name; another one for each shift."""
        ...

    def id(self, collection: str, shift: int = 0) -> ObjectId:
        """The id of that person's document, or of a sound document of another collection."""
        ...

    def email(self, shift: int = 0) -> str:
        """That person's e-mail."""
        ...

    def screenname(self, shift: int = 0) -> str:
        """That person's screen name."""
        ...

    def slug(self, shift: int = 0) -> str:
        """The slug of that person's profile."""
        ...

    def gone(self, shift: int = 0) -> ObjectId:
        """An id that no document has."""
        ...

    def account(self) -> tuple[str, str]:
        """Provider, and id there, of that person's first account."""
        ...

    def again(self) -> Document:
        """A sound document of the same collection, without its `_id`."""
        ...

    def twin(self) -> tuple[int, ObjectId]:
        """A person, and the id of the user of that person that is joined into another."""
        ...

    def lost(self) -> ObjectId:
        """The id of a user that becomes no row: a person said that it be left out."""
        ...


Change = Callable[[Spot, Document], list[Outcome]]
"""Changes a document, and says what must come of it besides its end."""


@dataclass(frozen=True)
class Do:
    """A change of a document.

    Attributes:
        path: The field it is about.
        change: Does it.
        end: How the document ends.
        why: The code of the dead letter, or the kind of reason.
    """

    path: str
    change: Change
    end: End = "copied"
    why: str | None = None


@dataclass(frozen=True)
class Plant:
    """One kind of document that is planted.

    Attributes:
        name: Unique in the catalogue.
        what: What is odd about it, for a reader.
        where: Its collection.
        per_thousand: How many for a thousand people; at least one.
        most: No more than so many; None for as many as the people ask for.
    """

    name: str
    what: str
    where: str
    do: Do
    per_thousand: float = 1
    most: int | None = None


Form = Literal["plain", "upper", "mixed", "spaced", "new", "accents", "accents-upper", "none"]
"""How a document has the e-mail of its person: as it is, in capitals, in both, with spaces around, another one, with
letters beyond ASCII, none."""


@dataclass(frozen=True)
class Member:
    """A document that tells who a person is.

    Attributes:
        role: Its name in the case.
        collection: `users`, `nextauth_users` or `profiles`.
        owner: Whose it is: 0 or 1 for the persons of the case, None where it stays nobody's.
        form: How it has the e-mail.
        of: Whose e-mail that is.
        link: What `userId` of a profile holds: the role of a document (its hex text), `null`, `empty`, `gone`,
            `canonical`; None where there is none.
        end: How it ends, where that is not the rule: the first member of an owner is copied, the others are merged.
        why: The kind of reason for that end.
    """

    role: str
    collection: str
    owner: int | None = 0
    form: Form = "plain"
    of: int = 0
    link: str | None = None
    end: End | None = None
    why: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a person says in `resolutions.yaml`, of documents by their roles."""

    verb: Literal["same", "different", "drop"]
    roles: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Case:
    """A person, or two, with every document that tells who they are.

    Attributes:
        name: Unique in the catalogue.
        what: What is odd about it, for a reader.
        members: The documents.
        conflict: Why somebody must be asked: `several` documents of one collection, `differing` keys of what a link
            joins, a `dangling` link of a document that a key leads somewhere. Empty where nobody must.
        answers: What a person would say; also where nobody asks.
        changes: What is done to documents, by role.
        persons: One or two.
        per_thousand: How many for a thousand people; at least one.
        most: No more than so many.
    """

    name: str
    what: str
    members: tuple[Member, ...]
    conflict: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    changes: Mapping[str, Do] = field(default_factory=dict[str, Do])
    persons: int = 1
    per_thousand: float = 1
    most: int | None = None

    @property
    def where(self) -> str:
        """The collection of what is changed, or of the first document."""
        roles = {member.role: member.collection for member in self.members}
        return roles[next(iter(self.changes))] if self.changes else self.members[0].collection

    def end(self, member: Member) -> tuple[End | None, str | None]:
        """How a document ends, and why; (None, None) where that is as usual."""
        change = self.changes.get(member.role)
        if change is not None and change.end != "copied":
            return change.end, change.why
        return member.end, member.why


def amount(plant: Plant | Case, people: int) -> int:
    """How many of a kind are planted among so many people."""
    wanted = max(1, round(plant.per_thousand * people / 1000))
    return wanted if plant.most is None else min(wanted, plant.most)


def put(document: Document, path: str, value: Any) -> None:
    """Set a value by a path with dots; objects on the way are made."""
    *parents, last = path.split(".")
    for parent in parents:
        inner = document.get(parent)
        if not isinstance(inner, dict):
            inner = document[parent] = {}
        document = inner
    document[last] = value


def take(document: Document, path: str) -> None:
    """Remove what stands at a path with dots, where it is there."""
    *parents, last = path.split(".")
    for parent in parents:
        document = document.get(parent, {})
    document.pop(last, None)


def found(document: Document, path: str) -> Any:
    """What stands at a path with dots; None also where nothing does."""
    value: Any = document
    for word in path.removesuffix("[]").split("."):
        value = value.get(word) if isinstance(value, dict) else None
    return value
