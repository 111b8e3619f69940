"""Take documents apart: what they are known by, and the references in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bson.errors import BSONError

from isthmus._rust import document_digest, source_id
from isthmus.mapping import Mapping as MappingModel
from isthmus.mapping.model import Ids
from isthmus.polyglot.audit_goals import Goal, Goals, form_of
from isthmus.polyglot.audit_spool import Holder, Met
from isthmus.polyglot.rewrite.documents import decoded
from isthmus.polyglot.sites import Site, found, show_place
from isthmus.sources.back_to_back import each_document


class Takes(Protocol):
    """What takes what is found: `Spool`, or `Shapes` without a target."""

    met: list[Met]
    unreadable: dict[str, list[bytes]]

    def document(self, goal: Goal, key: str) -> None:
        """Take what a document of a goal is known by."""
        ...

    def value(self, site: int, holder: Holder, place: str, value: object, goals: Sequence[Goal]) -> None:
        """Take a value; see `Spool.value`."""
        ...


class Shapes:
    """Counts values by how they are written; what they lead to is not asked.

    Args:
        sites: Where they stand.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        self.met: list[Met] = [Met() for _ in sites]
        self.unreadable: dict[str, list[bytes]] = {}

    def document(self, goal: Goal, key: str) -> None:
        """Pass over what a document is known by."""

    def value(self, site: int, holder: Holder, place: str, value: object, goals: Sequence[Goal]) -> None:  # noqa: ARG002
        """Count a value."""
        self.met[site].forms[form_of(value)] += 1


@dataclass
class Share:
    """How many documents of a collection are still to be looked through; those beyond are passed over.

    Attributes:
        left: None for all.
        passed_over: Whether any was.
    """

    left: int | None = None
    passed_over: bool = False

    def take(self) -> bool:
        """Take one, if there is one left."""
        if self.left is None:
            return True
        self.left -= 1
        self.passed_over |= self.left < 0
        return self.left >= 0


class Reader:
    """Takes the documents of one collection apart: what they are known by, and the references in them.

    Args:
        spool: Takes what is found.
        goals: What references lead to.
        mapping: The mapping.
        collection: The collection.
        sites: Its sites, each with its number.
        known: The goals whose documents these are.
        share: How many of them are looked through; None for all.
    """

    def __init__(
        self,
        spool: Takes,
        goals: Goals,
        mapping: MappingModel,
        collection: str,
        sites: Sequence[tuple[int, Site]],
        known: Sequence[Goal],
        share: Share | None = None,
    ) -> None:
        self._spool = spool
        self._goals = goals
        self._collection = collection
        self._sites = [(number, site, goals.of(site.pointers)) for number, site in sites]
        self._known = known
        self._share = share or Share()
        self.documents = 0
        ways: dict[tuple[str, Ids], None] = {}
        for flow in mapping.flows_of(collection):
            ways[flow.collection, mapping.collections[flow.entry].ids] = None
        self._ways = list(ways)

    def read(self, documents: bytes) -> int:
        """Take whole documents, and return how many."""
        count = 0
        for raw in each_document(documents):
            count += 1
            if not self._share.take():
                continue
            try:
                document = decoded(raw)
            except (BSONError, RecursionError, ValueError):
                self._spool.unreadable.setdefault(self._collection, []).append(document_digest(raw))
                continue
            self._take(raw, document)
        self.documents += count
        return count

    def merge(self, other: Reader) -> None:
        """Take over how many another one took; what it found is in the spool, which all share."""
        self.documents += other.documents

    def _take(self, raw: bytes, document: Mapping[str, Any]) -> None:
        own_id = source_id(raw)
        for goal in self._known:
            self._document(goal, own_id, document)
        holder: Holder | None = None
        for number, site, goals in self._sites:
            once = False
            for place, value in found(document, site):
                if holder is None:
                    holder = Holder(own_id, self._ids(own_id), document_digest(raw))
                if not once:
                    self._spool.met[number].documents += 1
                    once = True
                self._spool.value(number, holder, show_place(place), value, goals)

    def _ids(self, holder: bytes | None) -> list[str]:
        """Return the ids that the document's rows may have, unless they are those of other rows."""
        if holder is None:
            return []
        made = (self._goals.row_id(name, holder, ids) for name, ids in self._ways)
        return [one for one in made if one is not None]

    def _document(self, goal: Goal, holder: bytes | None, document: Mapping[str, Any]) -> None:
        keys: set[str | None] = set()
        if goal.field is None:
            if holder is None:
                return
            keys = {self._goals.key_of(goal, document["_id"]), self._goals.row_id(self._collection, holder, goal.ids)}
        else:
            keys = {self._goals.key_of(goal, value) for _, value in found(document, _field_site(goal))}
        for key in keys:
            if key is not None:
                self._spool.document(goal, key)


def _field_site(goal: Goal) -> Site:
    return Site(goal.sources[0], goal.field or (), (), "", "")
