"""The words for each kind of conflict, with the lines that would answer it either way. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from isthmus.mapping.identities import Identity
from isthmus.mapping.resolutions import AnsweredDocument, Resolutions
from isthmus.state.source_ids import show
from isthmus.transfer.identities.documents import Document, Finding
from isthmus.work.amounts import plural
from isthmus.work.hidden import HIDDEN
from isthmus.work.listed import listed

_MOST_PAIRS = 3


@dataclass(frozen=True)
class Offer:
    """What could be answered.

    Attributes:
        says: What it would mean, as a sentence begins.
        lines: YAML, to be written below the identity's name; without the reason, which only a person knows.
    """

    says: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class About:
    """What the words need to know of an identity.

    Attributes:
        name: Of the identity.
        identity: Its rules.
        table: Of its things.
        resolutions: The answers so far.
    """

    name: str
    identity: Identity
    table: str
    resolutions: Resolutions

    def collection(self, document: Document) -> str:
        """Return the collection of a document."""
        return self.identity.sources[document.part].collection

    def lines(self, said: Collection[int]) -> str:
        """Return where answers stand, by their numbers: `line 7`, `lines 7, 12`."""
        answers = self.resolutions.of(self.name)
        lines = sorted({answers[number].where.line or 0 for number in said})
        return f"{'line' if len(lines) == 1 else 'lines'} {', '.join(map(str, lines))}"


class Words:
    """The words for one conflict.

    Args:
        about: The identity.
        documents: Those that it speaks of, by number.
        count: How many there are, where not all are known.
    """

    def __init__(self, about: About, documents: Mapping[int, Document], count: int | None) -> None:
        self._about = about
        self._of = documents
        self._count = count

    def of(self, finding: Finding) -> tuple[str, list[Offer]]:
        """Return sentences and offers."""
        match finding.kind:
            case "several":
                return self._several(finding)
            case "differing":
                return self._differing(finding)
            case "dangling":
                return self._dangling(finding)
            case "two-canonical":
                return self._two_canonical(finding)
            case "still-connected":
                return self._still_connected(finding)
            case "same-and-different":
                return self._contradiction(finding)
            case "same-id":
                return self._same_id(finding)
            case _:
                return self._huge(finding)

    def listed(self, document: Document) -> dict[str, Any]:
        return {
            "collection": self._about.collection(document),
            "_id": show(document.source_id, shorten=False),
            "keys": dict(document.shown),
            "listed": document.listed,
        }

    def _name(self, number: int, *, values: bool = True) -> str:
        one = self._of[number]
        told = [f"{field} {_quoted(value)}" for field, value in one.shown] if values else []
        told += [] if one.listed else ["no longer in the source"]
        behind = f" ({', '.join(told)})" if told else ""
        return f"{self._about.collection(one)} {show(one.source_id)}{behind}"

    def _names(self, numbers: Sequence[int], *, values: bool = True) -> str:
        shown = [self._name(number, values=values) for number in numbers[: _MOST_PAIRS + 2]]
        more = len(numbers) - len(shown)
        if more:
            return listed(shown, len(shown), beyond=more)
        return " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)

    def _document(self, number: int) -> str:
        one = self._of[number]
        return str(AnsweredDocument(self._about.collection(one), show(one.source_id, shorten=False)))

    def _same(self, *numbers: int) -> str:
        return f"- same: [{', '.join(map(self._document, numbers))}]"

    def _different(self, one: int, other: int) -> str:
        return f"- different: [{self._document(one)}, {self._document(other)}]"

    def _drop(self, number: int) -> str:
        return f"- drop: {self._document(number)}"

    def _drops(self, numbers: Sequence[int]) -> list[Offer]:
        return [
            Offer(f"If {self._name(number, values=False)} may stay behind", (self._drop(number),))
            for number in numbers[:_MOST_PAIRS]
            if self._of[number].listed
        ]

    def _apart(self, numbers: Sequence[int]) -> list[str]:
        return [self._different(a, b) for a, b in combinations(numbers[: _MOST_PAIRS + 1], 2)]

    def _shared_keys(self, numbers: Sequence[int]) -> list[str]:
        """Return the names of the keys in which all of some documents agree."""
        keys = self._about.identity.keys
        first = self._of[numbers[0]].keys
        return [
            keys[key].name
            for key, digest in first.items()
            if all(self._of[number].keys.get(key) == digest for number in numbers)
        ]

    def _values(self, name: str, numbers: Sequence[int]) -> set[str]:
        """Return what some documents hold in the field of a key."""
        found: set[str] = set()
        for number in numbers:
            one = self._of[number]
            path = self._about.identity.sources[one.part].keys.get(name)
            found |= {value for field, value in one.shown if path is not None and field == ".".join(path)}
        return found

    def _several(self, finding: Finding) -> tuple[str, list[Offer]]:
        documents = finding.documents
        collection = self._about.collection(self._of[documents[0]])
        names = self._names(documents)
        shared = self._shared_keys(documents)
        between = [number for number in finding.others if self._leads_both_ways(number, documents)]
        if shared:
            values = self._values(shared[0], documents)
            alike = " but for case or blanks" if len(values) > 1 else ""
            alike = " once it is normalised" if HIDDEN in values else alike
            found = f"{plural(len(documents), 'document')} of {collection} have the same {shared[0]}{alike}: {names}."
        elif between:
            found = (
                f"{self._name(between[0])} has two candidates: its link leads to one, its key to the other one, of"
                f" {names}."
            )
        else:
            through = f" Between them: {self._names(finding.others)}." if finding.others else ""
            found = f"{plural(len(documents), 'document')} of {collection} would be one thing: {names}.{through}"
        rule = f"One thing has one document of {collection} at most, unless you say otherwise."
        offers = [
            Offer("If they are one thing", (self._same(*documents),)),
            Offer("If they are not", (*self._apart(documents), *self._sides(documents[0], finding.others))),
            *self._drops(documents),
        ]
        return f"{found} {rule}", offers

    def _sides(self, first: int, others: Sequence[int]) -> list[str]:
        """Return the lines that put what is connected with both on the side of one: a proposal to be changed."""
        if not others:
            return []
        return [f"{self._same(first, number)}  # or with the other one" for number in others[:_MOST_PAIRS]]

    def _leads_both_ways(self, number: int, documents: Sequence[int]) -> bool:
        one = self._of[number]
        linked = [other for other in documents if other in one.hits]
        keyed = [other for other in documents if not one.keys.items().isdisjoint(self._of[other].keys.items())]
        return bool(linked) and any(other not in linked for other in keyed)

    def _differing(self, finding: Finding) -> tuple[str, list[Offer]]:
        number, hit = finding.documents
        one, other = self._of[number], self._of[hit]
        keys = self._about.identity.keys
        names = [keys[key].name for key in sorted(one.keys.keys() & other.keys.keys())]
        differ = "differs" if len(names) == 1 else "differ"
        found = f"{self._name(number)} names {self._name(hit)}, but their {' and '.join(names)} {differ}."
        if finding.others:
            found += f" By {names[0]} it would belong to {self._names(finding.others)}."
        away = [self._different(number, near) for near in finding.others[:_MOST_PAIRS]]
        offers = [Offer("If the link is right", (self._same(number, hit), *away))]
        if finding.others:
            toward = [self._same(number, *finding.others[:1])]
            offers.append(Offer("If the key is right", (self._different(number, hit), *toward)))
        else:
            offers.append(Offer("If the link is wrong", (self._different(number, hit),)))
        return found, [*offers, *self._drops([number])]

    def _dangling(self, finding: Finding) -> tuple[str, list[Offer]]:
        (number,) = finding.documents
        source = self._about.identity.sources[self._of[number].part]
        to = " or ".join(dict.fromkeys(name for link in source.links for name in link.to))
        shared = self._shared_keys([number, finding.others[0]])
        found = (
            f"{self._name(number)} has a link that leads to no document of {to} that is carried; by its"
            f" {' and '.join(shared)} it would belong to {self._names(finding.others)}."
        )
        first = finding.others[0]
        sides = [self._same(first, other) for other in finding.others[1:_MOST_PAIRS]]
        return found, [
            Offer("If it does", (self._same(number, first),)),
            Offer("If it does not", (self._different(number, first), *sides)),
            *self._drops([number]),
        ]

    def _two_canonical(self, finding: Finding) -> tuple[str, list[Offer]]:
        known = [self._of[number].known or "" for number in finding.documents]
        found = (
            f"{self._names(finding.documents)} are connected now, and an earlier copy knows them as"
            f" {plural(len(known), 'thing')} of {self._about.table}: {', '.join(known)}."
        )
        if finding.others:
            found += f" Between them: {self._names(finding.others)}."
        one = (
            "If they are one thing (the id of the first stays; the row of the other one stays too, until you delete it)"
        )
        return found, [
            Offer(one, (self._same(*finding.documents),)),
            Offer(
                "If they are not",
                (*self._apart(finding.documents), *self._sides(finding.documents[0], finding.others)),
            ),
        ]

    def _still_connected(self, finding: Finding) -> tuple[str, list[Offer]]:
        one, other = finding.documents
        found = (
            f"{self._name(one)} and {self._name(other)} are answered different ({self._about.lines(finding.said)}), but"
            f" {self._names(finding.others)} {'is' if len(finding.others) == 1 else 'are'} connected with both."
        )
        return found, [
            Offer(f"If it belongs to {self._name(side, values=False)}", (self._same(side, *finding.others),))
            for side in (one, other)
            if finding.others
        ]

    def _contradiction(self, finding: Finding) -> tuple[str, list[Offer]]:
        number, *same = finding.said
        through = f", through {self._names(finding.others, values=False)}" if finding.others else ""
        found = (
            f"{self._name(finding.documents[0])} and {self._name(finding.documents[1])} are answered different"
            f" ({self._about.lines([number])}) and the same ({self._about.lines(same)}{through}). Take one of the"
            " answers back."
        )
        return found, []

    def _same_id(self, finding: Finding) -> tuple[str, list[Offer]]:
        one, other = finding.documents
        found = (
            f"The same id in {self._about.table} follows from {self._name(one)} and from {self._name(other)}, but"
            " nothing says that they are one thing. One row alone can have it."
        )
        return found, [Offer("If they are one thing", (self._same(one, other),)), *self._drops([one, other])]

    def _huge(self, finding: Finding) -> tuple[str, list[Offer]]:
        count = self._count or len(finding.documents)
        shared = self._shared_keys(finding.documents)
        what = f"They agree in {' and '.join(shared)}. " if shared else ""
        found = (
            f"{count:,} documents are connected with each other, such as {self._names(finding.documents)}. {what}A"
            " value that so many share recognises nobody: correct the data, or choose another key in the mapping."
        )
        return found, []


def _quoted(text: str) -> str:
    return text if text == HIDDEN else f'"{text if len(text) <= 60 else text[:59] + "…"}"'
