"""How the books of a complete run change when its dead letters are answered: pure, without a database.

They are changed by what each transaction did, not drawn anew: the tables may be in use by now, and what others wrote
there is none of a run's books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field

from isthmus.state.became import became_in, untold
from isthmus.state.reports import KEPT
from isthmus.transfer.balance import Balance, ReferenceBooks
from isthmus.transfer.existing.deliver import WRITTEN
from isthmus.transfer.existing.matching import BY_DEFAULT

Count = Counter[str]


@dataclass
class Delivered:
    """What a delivery of letters into tables that exist came to.

    Attributes:
        tallies: As the delivery writes them: (kind, name) → number.
        rows: (source collection, table) → rows that were written; none where somebody's own row stays.
        pairs: Junction table → pairs that were not there.
        verdicts: (source collection, verdict) → documents whose row was there before.
        kept: Source collection → those of them whose row stays as it is.
        pending: Reference → those that wait for a copy of another collection.
    """

    tallies: Counter[tuple[str, str]]
    rows: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    pairs: Count = field(default_factory=Counter[str])
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    kept: Count = field(default_factory=Counter[str])
    pending: Count = field(default_factory=Counter[str])


@dataclass
class Shift:
    """What one transaction of a retry did, in numbers; what went away is below zero.

    Attributes:
        copied: Collection → documents that were carried.
        joined: Collection → documents that were joined into others.
        skipped: Collection → documents that the mapping leaves behind.
        skips: Why → those.
        letters: (collection, code) → dead letters.
        rows: (source collection, table) → rows of root and child tables.
        values: Reference → values of the documents carried.
        orphans: (reference, action, by default) → entries of the ledger; action as there.
        named: Junction table → pairs that the documents carried name.
        pairs: Junction table → pairs that are in it now.
        merged: Junction table → pairs that were in it already.
        changed: Other groups of the core's counts → name → amount; the books show `adjusted`, `extras` and
            `dropped`, and what values became.
        restored: Reference → references that were set again.
        delivery: What a delivery into tables that exist came to; None where rows need none.
    """

    copied: Count = field(default_factory=Counter[str])
    joined: Count = field(default_factory=Counter[str])
    skipped: Count = field(default_factory=Counter[str])
    skips: Count = field(default_factory=Counter[str])
    letters: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    rows: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    values: Count = field(default_factory=Counter[str])
    orphans: Counter[tuple[str, str, bool]] = field(default_factory=Counter[tuple[str, str, bool]])
    named: Count = field(default_factory=Counter[str])
    pairs: Count = field(default_factory=Counter[str])
    merged: Count = field(default_factory=Counter[str])
    changed: dict[str, Count] = field(
        default_factory=lambda: {group: Counter[str]() for group in ("adjusted", "extras", "dropped")}
    )
    restored: Count = field(default_factory=Counter[str])
    delivery: Delivered | None = None

    def orphaned(self, name: str) -> int:
        """Return how many more references of this name are orphans whose document is in the target."""
        return sum(
            amount for (one, action, _), amount in self.orphans.items() if one == name and action != "dead_letter"
        )


def delivered(tallies: Counter[tuple[str, str]], junctions: Collection[str]) -> Delivered:
    """Return what the tallies of a delivery say."""
    done = Delivered(tallies)
    for (kind, name), amount in tallies.items():
        if kind.startswith(WRITTEN):
            done.rows[kind.removeprefix(WRITTEN), name] += amount
        elif kind == "delivered-rows" and name in junctions:
            done.pairs[name] += amount
        elif kind.startswith("verdict-"):
            done.verdicts[name, kind.removeprefix("verdict-")] += amount
            done.kept[name] += amount if kind in KEPT else 0
        elif kind == "pending":
            done.pending[name] += amount
    return done


def shifted(balance: Balance, shift: Shift) -> Balance:
    """Return the books behind a transaction; those before it are not changed."""
    books = deepcopy(balance)
    for collection, amount in shift.copied.items():
        books.collections[collection].copied += amount
    for collection, amount in shift.joined.items():
        books.collections[collection].merged += amount
    for collection, amount in shift.skipped.items():
        books.collections[collection].skipped += amount
    for (collection, code), amount in shift.letters.items():
        own = books.collections[collection]
        own.dead_letters += amount
        _add(own.letters, code, amount)
    for (collection, table), amount in (shift.delivery.rows if shift.delivery else shift.rows).items():
        tables = books.collections[collection].tables
        tables[table] = tables.get(table, 0) + amount
    for name in {*shift.values, *(name for name, _, _ in shift.orphans)}:
        reference = books.references.setdefault(name, ReferenceBooks())
        reference.values += shift.values[name]
        reference.resolved += shift.values[name] - shift.orphaned(name)
    for (name, action, by_default), amount in shift.orphans.items():
        reference = books.references[name]
        if action == "dead_letter":
            reference.refused += amount
        else:
            reference.orphans += amount
            _add(reference.actions, action, amount)
        if by_default:
            reference.by_default += amount
    for table, amount in (shift.delivery.pairs if shift.delivery else shift.pairs).items():
        books.junctions[table] = books.junctions.get(table, 0) + amount
    for table, amount in shift.merged.items():
        books.merged_pairs[table] = books.merged_pairs.get(table, 0) + amount
    for group, into in (("adjusted", books.adjusted), ("extras", books.extras), ("dropped", books.dropped)):
        for name, amount in shift.changed[group].items():
            _add(into, name, amount)
    for place, names in became_in(shift.changed):
        for name, amount in names.items():
            _add(books.became.setdefault(place, {}), name, amount)
    for why, amount in shift.skips.items():
        _add(books.skips, why, amount)
    if shift.delivery is not None:
        _enter_delivery(books, shift.delivery)
    return books


def _enter_delivery(books: Balance, delivery: Delivered) -> None:
    for collection, amount in delivery.kept.items():
        books.collections[collection].copied -= amount
        books.collections[collection].kept += amount
    for (collection, verdict), amount in delivery.verdicts.items():
        _add(books.met_rows.setdefault(collection, {}), verdict, amount)
    books.conflicts_by_default += sum(n for (kind, _), n in delivery.tallies.items() if kind == BY_DEFAULT)
    for name, amount in delivery.pending.items():
        books.references[name].resolved -= amount
        books.references[name].pending += amount


def _add(into: dict[str, int], name: str, amount: int) -> None:
    """Add to a number; one that comes to nothing is left out."""
    into[name] = into.get(name, 0) + amount
    if not into[name]:
        del into[name]


def imbalance(balance: Balance, sides: Mapping[str, Collection[str]]) -> str | None:
    """Say where books do not balance; None when they do.

    Args:
        balance: The books.
        sides: Junction table → the names of the references that fill it; those not named are not looked at.
    """
    for name, books in balance.collections.items():
        accounted = books.copied + books.merged + books.kept + books.skipped + books.dead_letters
        if books.read != accounted:
            return f"{name}: {books.read} documents read, {accounted} accounted for"
        fewest = min(books.copied, books.kept, books.dead_letters, *books.letters.values())
        if books.dead_letters != sum(books.letters.values()) or fewest < 0:
            return f"{name}: {books.dead_letters} dead letters, {sum(books.letters.values())} by code"
    for name, books in balance.references.items():
        if books.values != books.resolved + books.pending + books.orphans:
            return f"{name}: {books.values} values, {books.resolved} resolved, {books.orphans} orphans"
        if min([books.resolved, books.orphans, books.refused, books.by_default, *books.actions.values()]) < 0:
            return f"{name}: more of its orphans were settled than there were"
    for place, rest in untold(balance.adjusted, balance.became).items():
        if rest < 0:
            return f"{place}: {balance.adjusted.get(place, 0)} values changed, {-rest} more told apart"
    for junction, pairs in balance.junctions.items():
        if junction not in sides:
            continue
        resolved = sum(balance.references[name].resolved for name in sides[junction])
        merged = balance.merged_pairs.get(junction, 0)
        if pairs != resolved - merged:
            return f"{junction}: {resolved} resolved references, {merged} named twice, {pairs} pairs"
    return None
