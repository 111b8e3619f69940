"""Which documents of a component are one thing, and what of it a person must say. Pure.

Documents are one that have a key in common, that a link joins, that an answer calls the same, or that an earlier map
knows as one thing. What is guessed is nothing: where two documents of one collection would be one, keys contradict a
link, or a link leads nowhere, it is a conflict until somebody answers.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace
from functools import cmp_to_key
from itertools import combinations

from isthmus._rust import compare_ids
from isthmus.transfer.identities.documents import Decision, Document, Finding, Placed, Said, Why
from isthmus.transfer.identities.groups import Cliques, Joined


def decide(documents: Sequence[Document], said: Sequence[Said], members: int) -> Decision:
    """Decide of the documents of one component.

    Args:
        documents: All of them.
        said: The answers about any of them.
        members: How many parts are members; the others are linked.
    """
    # numbers say in which order documents were read, which may be another one the next time
    order = _in_order(documents)
    ranks = {one.number: rank for rank, one in enumerate(order)}
    ranked = [
        replace(one, number=rank, hits=tuple(sorted(ranks[hit] for hit in one.hits if hit in ranks)))
        for rank, one in enumerate(order)
    ]
    answers = [replace(one, documents=tuple(ranks[number] for number in one.documents)) for one in said]
    decision = _Component(ranked, answers, members).decide()
    if not decision.findings and answers:
        decision = replace(decision, idle=_idle(ranked, answers, members))
    return _numbered(decision, [one.number for one in order])


def _in_order(documents: Sequence[Document]) -> list[Document]:
    """Put documents in the order in which a thing takes its id: by collection, then by `_id`."""

    def compare(one: Document, other: Document) -> int:
        return one.part - other.part or compare_ids(one.source_id, other.source_id) or one.number - other.number

    return sorted(documents, key=cmp_to_key(compare))


def _numbered(decision: Decision, numbers: Sequence[int]) -> Decision:
    """Return a decision about documents by their own numbers."""
    return replace(
        decision,
        placed={numbers[rank]: one for rank, one in decision.placed.items()},
        findings=tuple(
            replace(
                one,
                documents=tuple(numbers[rank] for rank in one.documents),
                others=tuple(numbers[rank] for rank in one.others),
            )
            for one in decision.findings
        ),
    )


def _idle(documents: Sequence[Document], said: Sequence[Said], members: int) -> tuple[int, ...]:
    """Return the numbers of answers without which it would come to the same."""
    # an earlier map says by now what answers made of it: that does not make them idle
    anew = [replace(one, known=None) for one in documents]
    baseline = _outcome(anew, said, members)
    return tuple(
        one.number for one in said if _outcome(anew, [other for other in said if other != one], members) == baseline
    )


def _outcome(documents: Sequence[Document], said: Sequence[Said], members: int) -> object:
    """Return what can be compared: which documents are one, which are kept apart from all, and what is open."""
    decision = _Component(documents, said, members).decide()
    things = {number: (one.canonical, one.why == "apart") for number, one in decision.placed.items()}
    return things, [replace(one, said=()) for one in decision.findings]


class _Component:
    """One component, its edges and what keeps documents apart; its documents are numbered in their order."""

    def __init__(self, documents: Sequence[Document], said: Sequence[Said], members: int) -> None:
        self._of = {one.number: one for one in documents}
        self._members = members
        self._said = said
        self._answered = Joined(self._of)
        self._join_same(self._answered, self._of)
        self._pairs = [(one.number, *pair) for one in said if not one.same for pair in combinations(one.documents, 2)]
        self._apart = {frozenset((self._answered.find(a), self._answered.find(b))) for _, a, b in self._pairs}
        self._cliques = Cliques(list(self._of), list(self._groups()), self._are_apart)
        # what answers and an earlier map make one: of that nobody is asked again
        self._settled = Joined(self._of)
        self._join_same(self._settled, self._of)
        for _, group in self._known_groups():
            for one, other in combinations(group, 2) if self._apart else ((group[0], other) for other in group[1:]):
                if not self._are_apart(one, other):
                    self._settled.join(one, other)

    def _join_same(self, joined: Joined, among: Collection[int]) -> None:
        """Join what answers call the same, as far as it is among some documents."""
        for one in self._said:
            inside = [number for number in one.documents if number in among] if one.same else []
            for other in inside[1:]:
                joined.join(inside[0], other)

    def _are_apart(self, one: int, other: int) -> bool:
        return bool(self._apart) and frozenset((self._answered.find(one), self._answered.find(other))) in self._apart

    def _is_member(self, number: int) -> bool:
        return self._of[number].part < self._members

    def _groups(self) -> list[tuple[Hashable, list[int]]]:
        found: dict[Hashable, list[int]] = {}
        for one in self._of.values():
            for key, digest in one.keys.items():
                found.setdefault(("key", key, digest), []).append(one.number)
            for hit in one.hits:
                if hit in self._of:
                    found["link", one.number, hit] = [one.number, hit]
        groups = [*found.items(), *self._known_groups()]
        groups += [(("said", one.number), list(one.documents)) for one in self._said if one.same]
        return groups

    def _known_groups(self) -> list[tuple[Hashable, list[int]]]:
        found: dict[Hashable, list[int]] = {}
        for one in self._of.values():
            if one.known is not None and self._is_member(one.number):
                found.setdefault(("known", one.known), []).append(one.number)
        return list(found.items())

    def decide(self) -> Decision:
        sets = self._cliques.connected()
        findings = [*self._contradictions(), *self._still_connected(sets)]
        for documents in sets:
            findings += self._findings_of(documents)
        findings += self._same_ids(sets)
        canonical = self._canonical(sets)
        if not findings:
            findings += self._without_id(sets, canonical)
        if findings:
            open_ = {number: Placed(None, 0, "open") for number in self._of}
            return Decision(open_, tuple(dict.fromkeys(findings)))
        return Decision(self._place(sets, canonical))

    def _contradictions(self) -> list[Finding]:
        found: list[Finding] = []
        for number, a, b in self._pairs:
            if self._answered.find(a) != self._answered.find(b):
                continue
            root = self._answered.find(a)
            same = [one.number for one in self._said if one.same and self._answered.find(one.documents[0]) == root]
            others = [n for n in self._of if n not in (a, b) and self._answered.find(n) == root]
            found.append(Finding("same-and-different", _pair(a, b), tuple(sorted(others)), (number, *same)))
        return found

    def _still_connected(self, sets: list[list[int]]) -> list[Finding]:
        of = {number: place for place, documents in enumerate(sets) for number in documents}
        found: list[Finding] = []
        for number, a, b in self._pairs:
            if of[a] == of[b] and self._answered.find(a) != self._answered.find(b):
                way = self._cliques.between(*_pair(a, b)) or []
                found.append(Finding("still-connected", _pair(a, b), tuple(way), (number,)))
        return found

    def _findings_of(self, documents: list[int]) -> list[Finding]:
        links = [*self._differing(documents), *self._dangling(documents)]
        # what only such a document connects is its question, and no other one
        doubtful = {finding.documents[0] for finding in links}
        rest = [number for number in documents if number not in doubtful]
        sets = self._cliques.within(rest).connected() if doubtful else [documents]
        for one in sets:
            known = self._two_canonical(one)
            # documents that an earlier map knows as different things are that question, not another one
            several = [
                f for f in self._several(one) if not known or any(self._of[n].known is None for n in f.documents)
            ]
            links += [*several, *known]
        return links

    def _several(self, documents: list[int]) -> list[Finding]:
        """Find documents of one collection that would be one thing, and that nobody has called so."""
        found: list[Finding] = []
        for part in sorted({self._of[number].part for number in documents}):
            of_part = [number for number in documents if self._of[number].part == part]
            if len({self._settled.find(number) for number in of_part}) > 1:
                # a pair that is answered `different` is asked about as still connected
                if any(self._are_apart(a, b) for a, b in combinations(of_part[:50], 2)):
                    continue
                others = [number for number in documents if self._of[number].part != part]
                found.append(Finding("several", tuple(of_part), tuple(others)))
        return found

    def _two_canonical(self, documents: list[int]) -> list[Finding]:
        """Find things that an earlier map knows apart, and that nobody has called one."""
        heads: dict[str, int] = {}
        joined = Joined(documents)
        for number in documents:
            known = self._of[number].known
            if known is not None and self._is_member(number):
                joined.join(number, heads.setdefault(known, number))
        if len(heads) < 2:
            return []
        self._join_same(joined, set(documents))
        if len({joined.find(number) for number in heads.values()}) < 2:
            return []
        shown = sorted(heads.values())
        return [Finding("two-canonical", tuple(shown), tuple(n for n in documents if n not in shown))]

    def _differing(self, documents: list[int]) -> list[Finding]:
        """Find links between documents whose keys contradict them."""
        found: list[Finding] = []
        for number in documents:
            one = self._of[number]
            for hit in one.hits:
                if hit not in self._of or self._are_apart(number, hit) or self._is_settled(number, hit):
                    continue
                other = self._of[hit]
                common = one.keys.keys() & other.keys.keys()
                if common and all(one.keys[key] != other.keys[key] for key in common):
                    near = self._near(number, documents)
                    found.append(Finding("differing", (number, hit), tuple(n for n in near if n != hit)))
        return found

    def _dangling(self, documents: list[int]) -> list[Finding]:
        """Find links that lead nowhere, of documents that keys lead to somebody."""
        found: list[Finding] = []
        for number in documents:
            one = self._of[number]
            near = self._near(number, documents) if one.has_link and not one.hits else []
            if near and not any(self._is_settled(number, n) for n in near):
                found.append(Finding("dangling", (number,), tuple(near)))
        return found

    def _near(self, number: int, documents: list[int]) -> list[int]:
        """Return the documents of a set that have a key in common with one."""
        keys = self._of[number].keys.items()
        return [n for n in documents if n != number and not keys.isdisjoint(self._of[n].keys.items())]

    def _is_settled(self, one: int, other: int) -> bool:
        """Tell whether an answer or an earlier map says that two documents are one."""
        if self._settled.find(one) == self._settled.find(other):
            return True
        known = self._of[one].known
        return known is not None and known == self._of[other].known

    def _same_ids(self, sets: list[list[int]]) -> list[Finding]:
        """Find different things whose documents have the same id: only one row of a table can."""
        of = {number: place for place, documents in enumerate(sets) for number in documents}
        holders: dict[str, int] = {}
        found: list[Finding] = []
        for number in sorted(self._of):
            if self._is_member(number):
                first = holders.setdefault(self._of[number].own_id, number)
                if of[first] != of[number]:
                    found.append(Finding("same-id", (first, number)))
        return found

    def _without_id(self, sets: list[list[int]], canonical: list[str | None]) -> list[Finding]:
        """Find things whose only id is that of another one, which an earlier map knows by it."""
        found: list[Finding] = []
        for documents, thing in zip(sets, canonical, strict=True):
            members = [number for number in documents if self._is_member(number)]
            if thing is None and members:
                own = self._of[members[0]].own_id
                place = canonical.index(own)
                found.append(Finding("same-id", (members[0], sets[place][0])))
        return found

    def _place(self, sets: list[list[int]], canonical: list[str | None]) -> dict[int, Placed]:
        placed: dict[int, Placed] = {}
        for place, documents in enumerate(sets):
            for number, one in enumerate(documents):
                placed[one] = Placed(canonical[place], number, self._why(one, documents, canonical[place]))
        return placed

    def _canonical(self, sets: list[list[int]]) -> list[str | None]:
        """Return the id of each thing: what an earlier map knows one of its members by, else that of its first one.

        What the map knew as one and answers part is kept by the one that has the document with this id.
        """
        members = [[number for number in documents if self._is_member(number)] for documents in sets]
        wanted = [
            next((self._of[n].known for n in documents if self._of[n].known is not None), None) for documents in members
        ]
        keepers: dict[str, int] = {}
        for place, documents in enumerate(members):
            known = wanted[place]
            if known is not None and any(self._of[n].own_id == known for n in documents):
                keepers[known] = place
        for place, known in enumerate(wanted):
            if known is not None:
                keepers.setdefault(known, place)
        taken = set(keepers)
        found: list[str | None] = []
        for place, documents in enumerate(members):
            known = wanted[place]
            if known is not None and keepers[known] == place:
                found.append(known)
                continue
            own = next((self._of[n].own_id for n in documents if self._of[n].own_id not in taken), None)
            found.append(own)
            taken |= {own} if own is not None else set()
        return found

    def _why(self, number: int, documents: list[int], canonical: str | None) -> Why:
        """Return what makes a document a part of its thing."""
        one = self._of[number]
        if len(documents) == 1 or canonical is None:
            cut = any(self._are_apart(number, hit) for hit in one.hits if hit in self._of)
            return "apart" if cut and canonical is None else "alone"
        if any(said.same and number in said.documents for said in self._said):
            return "answer"
        linked = {hit for n in documents for hit in self._of[n].hits}
        if number in linked or any(hit in documents for hit in one.hits):
            return "link"
        return "key" if self._near(number, documents) else "known"


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
