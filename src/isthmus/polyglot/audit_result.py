"""What an audit of references came to: counts and lists, place by place. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["nowhere", "row-gone"]
"""Of a value in a document: nothing has it, or it is the id of a row that does not exist any more."""

MOST_LISTED = 1_000
"""Dangling references that are listed of each place; all are counted."""


@dataclass(frozen=True)
class Dangling:
    """One reference that leads nowhere.

    Attributes:
        holder: `_id` of the document, or key of the row.
        place: Where in the document; of a row where the reference stands.
        value: For people; hidden where it is sensitive.
        kind: What it is: `nowhere`, `row-gone`, or of a row `row` and `waits`.
        known: Whether a ledger of the target has it.
    """

    holder: str
    place: str
    value: str
    kind: str
    known: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"id": self.holder, "place": self.place, "value": self.value, "kind": self.kind, "known": self.known}


@dataclass
class Place:
    """What was found at one place of documents or rows.

    Attributes:
        name: `collection.path` or `table.column`.
        held_by: The collection or table.
        leads_to: What its references lead to, `table.column` each.
        values: How many references there are; None where it could not be looked at.
        documents: Documents that hold them; None for rows.
        forms: How those of documents are written.
        to_rows: That lead to a row.
        to_documents: That lead to a document and to no row.
        waiting: Of rows: that wait for a later copy.
        new: That lead nowhere, and no ledger has it.
        known: That lead nowhere, and a ledger has it.
        kinds: What those are, new and known ones.
        listed: The first of them.
        why_not: Why it could not be looked at, a sentence without its full stop.
    """

    name: str
    held_by: str
    leads_to: tuple[str, ...]
    values: int | None = 0
    documents: int | None = None
    forms: Counter[str] = field(default_factory=Counter[str])
    to_rows: int = 0
    to_documents: int = 0
    waiting: int = 0
    new: int = 0
    known: int = 0
    kinds: Counter[str] = field(default_factory=Counter[str])
    listed: list[Dangling] = field(default_factory=list[Dangling])
    why_not: str = ""

    @property
    def dangling(self) -> int:
        """How many lead nowhere."""
        return self.new + self.known

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        found: dict[str, Any] = {
            "place": self.name,
            "held_by": self.held_by,
            "leads_to": list(self.leads_to),
            "values": self.values,
            "to_rows": self.to_rows,
            "to_documents": self.to_documents,
            "dangling": self.dangling,
            "new": self.new,
            "known": self.known,
            "kinds": {kind: count for kind, count in self.kinds.items() if count},
            "listed": [one.as_json() for one in self.listed],
        }
        if self.documents is not None:
            found |= {"documents": self.documents, "forms": {form: n for form, n in self.forms.items() if n}}
        else:
            found["waiting"] = self.waiting
        if self.why_not:
            found["not_looked_at"] = self.why_not
        return found


@dataclass
class Audit:
    """What an audit came to.

    Attributes:
        source: The source, for people.
        target: The target, for people.
        in_documents: Places in documents.
        in_rows: Places in rows.
        unreadable: Collection → documents that could not be read, and how many of them are dead letters as they stand.
        absent: Collections of the mapping that the source does not have.
        broken: Collection → why it could not be read to its end.
        sampled: Whether documents were left out because a sample was asked for.
        at_work: What an isthmus calls itself that writes to the target meanwhile; None when none does.
        seconds: How long it took.
    """

    source: str = ""
    target: str = ""
    in_documents: list[Place] = field(default_factory=list[Place])
    in_rows: list[Place] = field(default_factory=list[Place])
    unreadable: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    absent: list[str] = field(default_factory=list[str])
    broken: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    sampled: bool = False
    at_work: str | None = None
    seconds: float = 0.0

    @property
    def new(self) -> int:
        """How many references lead nowhere that no ledger has."""
        return sum(place.new for place in (*self.in_documents, *self.in_rows))

    @property
    def known(self) -> int:
        """How many references lead nowhere that a ledger has."""
        return sum(place.known for place in (*self.in_documents, *self.in_rows))

    @property
    def whole(self) -> bool:
        """Whether everything could be looked at that was asked for, but for documents that are dead letters."""
        return not (any(count > known for count, known in self.unreadable.values()) or self.broken)

    @property
    def outcome(self) -> str:
        """`dangling`, `incomplete` (nothing new was found in what could be looked at) or `clean`."""
        return "dangling" if self.new else "clean" if self.whole else "incomplete"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "outcome": self.outcome,
            "source": self.source,
            "target": self.target,
            "new": self.new,
            "known": self.known,
            "sampled": self.sampled,
            "seconds": round(self.seconds, 3),
            "in_documents": [place.as_json() for place in self.in_documents],
            "in_rows": [place.as_json() for place in self.in_rows],
            "unreadable": {
                name: {"documents": count, "known": known} for name, (count, known) in self.unreadable.items()
            },
            "absent": self.absent,
            "broken": self.broken,
        }
