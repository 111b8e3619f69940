"""What a decision is about and what it comes to, as data: documents by number, answers, findings. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "several",
    "differing",
    "dangling",
    "two-canonical",
    "still-connected",
    "same-and-different",
    "same-id",
    "huge",
    "no-such-document",
]
Why = Literal["alone", "key", "link", "answer", "known", "apart", "open"]


@dataclass(frozen=True)
class Document:
    """What is known of one document.

    Attributes:
        number: In this plan.
        part: Place of its collection in the identity, members first.
        source_id: `{"_id": value}` as BSON.
        own_id: The id that is derived from it alone.
        known: The thing that an earlier map knows it as; None for none.
        listed: Whether the source has it; else only the map knows it.
        keys: Digest of the normalised value, by the number of the key; without those it has not.
        hits: Documents that its links lead to.
        has_link: Whether a link holds anything.
        shown: Field and value of keys and links as they stand in the document.
    """

    number: int
    part: int
    source_id: bytes
    own_id: str
    known: str | None = None
    listed: bool = True
    keys: dict[int, bytes] = field(default_factory=dict[int, bytes])
    hits: tuple[int, ...] = ()
    has_link: bool = False
    shown: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Said:
    """An answer of a person about documents of a component, by their numbers.

    Attributes:
        number: Of the answer, in the file.
        same: Whether they are one thing; else each two of them are not.
        documents: At least two.
    """

    number: int
    same: bool
    documents: tuple[int, ...]


@dataclass(frozen=True)
class Finding:
    """What a person must say.

    Attributes:
        kind: What was found.
        documents: Those that the question is about.
        others: Documents that connect them, or that keys lead to.
        said: Answers that it is about.
    """

    kind: Kind
    documents: tuple[int, ...]
    others: tuple[int, ...] = ()
    said: tuple[int, ...] = ()


@dataclass(frozen=True)
class Placed:
    """A document in its thing.

    Attributes:
        canonical: Id of the thing; None where it belongs to none.
        place: In the thing, from 0.
        why: What makes it a part of it.
    """

    canonical: str | None
    place: int
    why: Why


@dataclass(frozen=True)
class Decision:
    """What a component came to.

    Attributes:
        placed: By the number of the document.
        findings: What is open; then nothing is decided of any of its documents.
        idle: Numbers of answers without which it would have come to the same.
    """

    placed: dict[int, Placed]
    findings: tuple[Finding, ...] = ()
    idle: tuple[int, ...] = ()
