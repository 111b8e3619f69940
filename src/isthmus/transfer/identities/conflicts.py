"""What a person is asked: each conflict in words, with the lines that would answer it either way. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from isthmus.errors import Problem, Where
from isthmus.mapping.resolutions import AnsweredDocument
from isthmus.transfer.identities.documents import Document, Finding
from isthmus.transfer.identities.words import About, Offer, Words

MOST_LISTED = 20
"""Documents of one conflict that are listed."""


@dataclass(frozen=True)
class Conflict:
    """One question.

    Attributes:
        id: Twelve hex digits; the same in every plan, as long as its documents are.
        kind: As `deciding.Finding`.
        message: What was found, in sentences.
        documents: `collection`, `_id`, `keys` (field → value) and `listed` of each, the first of many.
        more: How many documents are not listed.
        offers: What could be answered.
        where: The answer that it is about.
    """

    id: str
    kind: str
    message: str
    documents: tuple[dict[str, Any], ...] = ()
    more: int = 0
    offers: tuple[Offer, ...] = ()
    where: Where = field(default_factory=Where)

    def problem(self) -> Problem:
        """Return it as one finding of a refusal."""
        return Problem(self.kind, f"{self.message} [{self.id}]", self.where)

    def as_row(self) -> dict[str, Any]:
        """Return what the state keeps of it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "message": self.message,
            "documents": list(self.documents),
            "more": self.more,
            "answers": [{"says": offer.says, "yaml": "\n".join(offer.lines)} for offer in self.offers],
        }


class Asking(About):
    """Puts what was found of an identity into words."""

    def conflict(self, finding: Finding, documents: Mapping[int, Document], count: int | None = None) -> Conflict:
        """Put a finding into words.

        Args:
            finding: What was found.
            documents: Those that it speaks of, by number.
            count: How many there are, where not all are known.
        """
        words = Words(self, documents, count)
        message, offers = words.of(finding)
        about = [documents[number] for number in (*finding.documents, *finding.others)]
        listed = about[:MOST_LISTED]
        answers = self.resolutions.of(self.name)
        return Conflict(
            self.id_of(finding, documents),
            finding.kind,
            message,
            tuple(words.listed(one) for one in listed),
            (count or len(about)) - len(listed),
            tuple(offers),
            answers[finding.said[0]].where if finding.said else Where(),
        )

    def missing(self, number: int, document: AnsweredDocument) -> Conflict:
        """Put into words that an answer names a document that is nowhere.

        Args:
            number: Of the answer.
            document: What it names.
        """
        answer = self.resolutions.of(self.name)[number]
        message = (
            f"The answer in line {answer.where.line} names {document}, which is neither in the source nor known from an"
            " earlier copy. Correct the _id, or remove the answer."
        )
        listed: dict[str, Any] = {
            "collection": document.collection,
            "_id": document.id,
            "keys": {},
            "listed": False,
        }
        return Conflict(self.missing_id(document), "no-such-document", message, (listed,), where=answer.where)

    def id_of(self, finding: Finding, documents: Mapping[int, Document]) -> str:
        """Return the id of a conflict about a finding."""
        about = [documents[number] for number in finding.documents]
        parts = [self.collection(one).encode() + b"\0" + one.source_id for one in about]
        return _digest(self.name, finding.kind, parts)

    def missing_id(self, document: AnsweredDocument) -> str:
        """Return the id of the conflict about a document that is nowhere."""
        return _digest(self.name, "no-such-document", [f"{document.collection}\0{document.id}".encode()])


def _digest(name: str, kind: str, parts: Sequence[bytes]) -> str:
    hashed = hashlib.sha256(f"{name}\0{kind}".encode())
    for part in sorted(parts):
        hashed.update(len(part).to_bytes(8, "big") + part)
    return hashed.hexdigest()[:12]
