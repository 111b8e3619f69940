"""The balance: the books of a run held against what the target really contains.

What was counted while loading and finishing is one side; the ledgers and a count of every table are the other. A
difference is a finding that fails the run; it never passes in silence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import psycopg
from psycopg import sql

from isthmus.connect.postgres import first_number
from isthmus.state.became import UNTOLD, all_told, became_in, untold
from isthmus.state.checkpoints import PartitionState, read_tallies, rows_of
from isthmus.state.statements import statement
from isthmus.transfer.finishing.references import ReferenceSite, reference_sites
from isthmus.transfer.job import Job
from isthmus.transfer.loading.load import REST, Counts, add_counts
from isthmus.transfer.staging import pair_tables


@dataclass
class CollectionBooks:
    """One collection: `read = copied + merged + kept + skipped + dead_letters`.

    Attributes:
        tables: Table → rows, the root table and its child tables.
        letters: Code → dead letters.
    """

    read: int = 0
    copied: int = 0
    merged: int = 0
    kept: int = 0
    skipped: int = 0
    dead_letters: int = 0
    tables: dict[str, int] = field(default_factory=dict[str, int])
    letters: dict[str, int] = field(default_factory=dict[str, int])


@dataclass
class ReferenceBooks:
    """One reference: `values = resolved + pending + orphans`.

    Attributes:
        actions: Orphans by what happened to them: null, drop, kept.
        refused: Orphans whose document became a dead letter; their values left the books with it.
        by_default: Orphans for which the mapping states no policy.
    """

    values: int = 0
    resolved: int = 0
    pending: int = 0
    orphans: int = 0
    actions: dict[str, int] = field(default_factory=dict[str, int])
    refused: int = 0
    by_default: int = 0


@dataclass
class Balance:
    """The books of one run.

    Attributes:
        collections: By name.
        junctions: Table → pairs.
        merged_pairs: Table → pairs that both sides named.
        references: By `table.column`.
        adjusted: `table.column:kind` → values changed on the way.
        became: The same names, of what `values` and defaults changed → `WAS → BECAME` → how many of those.
        extras: `collection.path` → fields nobody named, kept in extras.
        dropped: `collection.path` → fields the mapping drops by name.
        skips: Why → documents left behind.
        left_out_indexes: Indexes that could not be built.
        left_out_rows: Search index → rows too long for it, which it leaves out; the rows themselves are carried.
        empty_columns: Columns without a single value.
        met_rows: Collection → what became of documents whose row was there before → how many.
        conflicts_by_default: Rows that were there before and were kept although the mapping states no policy.
        waiting_keys: `table.constraint` → references that wait because of this foreign key.
        came: `table.column` → references of earlier copies that waited and are there now.
        refused_waiting: The same → those whose row is there now, and which the table refuses all the same.
        differences: Sentences that say where the books do not balance; empty when they do.
    """

    collections: dict[str, CollectionBooks] = field(default_factory=dict[str, CollectionBooks])
    junctions: dict[str, int] = field(default_factory=dict[str, int])
    merged_pairs: dict[str, int] = field(default_factory=dict[str, int])
    references: dict[str, ReferenceBooks] = field(default_factory=dict[str, ReferenceBooks])
    adjusted: dict[str, int] = field(default_factory=dict[str, int])
    became: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    extras: dict[str, int] = field(default_factory=dict[str, int])
    dropped: dict[str, int] = field(default_factory=dict[str, int])
    skips: dict[str, int] = field(default_factory=dict[str, int])
    left_out_indexes: list[str] = field(default_factory=list[str])
    left_out_rows: dict[str, int] = field(default_factory=dict[str, int])
    empty_columns: list[str] = field(default_factory=list[str])
    met_rows: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    conflicts_by_default: int = 0
    waiting_keys: dict[str, int] = field(default_factory=dict[str, int])
    came: dict[str, int] = field(default_factory=dict[str, int])
    refused_waiting: dict[str, int] = field(default_factory=dict[str, int])
    differences: list[str] = field(default_factory=list[str])

    @property
    def dead_letters(self) -> int:
        """Dead letters of all collections."""
        return sum(books.dead_letters for books in self.collections.values())

    @property
    def orphans_by_default(self) -> int:
        """Orphans handled by a default instead of a stated policy."""
        return sum(books.by_default for books in self.references.values())

    @property
    def complete(self) -> bool:
        """Whether everything was carried or handled as the mapping says."""
        by_default = self.orphans_by_default or self.conflicts_by_default
        return not (
            self.dead_letters or by_default or self.left_out_indexes or self.refused_waiting or self.differences
        )

    def as_json(self) -> dict[str, Any]:
        """Return the books as JSON values."""
        return asdict(self)


def balance_from_json(data: dict[str, Any]) -> Balance:
    """Return the books that `as_json` wrote."""
    rest = {key: value for key, value in data.items() if key not in {"collections", "references"}}
    return Balance(
        collections={name: CollectionBooks(**books) for name, books in data["collections"].items()},
        references={name: ReferenceBooks(**books) for name, books in data["references"].items()},
        **rest,
    )


def draw_balance(job: Job, connection: psycopg.Connection, states: list[PartitionState]) -> Balance:
    """Recompute the books after finish.

    Args:
        job: The copy, finished.
        connection: Reads the target and the ledgers; writes nothing.
        states: Every partition of the run, as committed.

    Returns:
        The balance; its `differences` are empty when it balances.
    """
    balance = Balance()
    tallies = read_tallies(connection, job.run.id)
    _enter_documents(job, connection, states, tallies, balance)
    totals: Counts = {}
    for state in states:
        totals = add_counts(totals, state.counts)
    _enter_rows(job, connection, states, tallies, balance)
    _enter_references(job, connection, totals, tallies, balance)
    _enter_changes(states, tallies, balance)
    _enter_became(states, totals, tallies, balance)
    balance.left_out_indexes = sorted(tallies.get("left-out-index", {}))
    balance.left_out_rows = _left_out_rows(job, connection)
    balance.empty_columns = _empty_columns(job, connection)
    return balance


def refresh_looks(job: Job, connection: psycopg.Connection, balance: Balance) -> Balance:
    """Return books with what only the tables tell as it is now: rows left out of search indexes, empty columns."""
    return replace(
        balance, left_out_rows=_left_out_rows(job, connection), empty_columns=_empty_columns(job, connection)
    )


def _enter_documents(
    job: Job,
    connection: psycopg.Connection,
    states: list[PartitionState],
    tallies: dict[str, dict[str, int]],
    balance: Balance,
) -> None:
    for collection in job.plans:
        books = CollectionBooks()
        for state in states:
            if state.collection == collection:
                own = state.counts.get("books", {})
                books.read += own.get("read", 0)
                books.copied += own.get("copied", 0)
                books.skipped += own.get("skipped", 0)
                books.dead_letters += own.get("dead_letters", 0)
        late = tallies.get("finish-letters", {}).get(collection, 0)
        left_behind = tallies.get("skipped", {}).get(collection, 0)  # dead letters that another mapping skips
        books.merged = tallies.get("merged", {}).get(collection, 0)
        books.copied -= late + books.merged
        books.dead_letters += late - left_behind
        books.skipped += left_behind
        balance.collections[collection] = books
    ledger: dict[str, int] = {}
    for collection, _stage, code, count in connection.execute(
        statement("ledger", "letter_counts"), {"run": job.run.id}
    ).fetchall():
        ledger[str(collection)] = ledger.get(str(collection), 0) + int(count)
        letters = balance.collections[str(collection)].letters
        letters[str(code)] = letters.get(str(code), 0) + int(count)
    for collection, books in balance.collections.items():
        accounted = books.copied + books.merged + books.kept + books.skipped + books.dead_letters
        if books.read != accounted:
            balance.differences.append(f"{collection}: {books.read} documents read, {accounted} accounted for.")
        if books.dead_letters != ledger.get(collection, 0):
            balance.differences.append(
                f"{collection}: {books.dead_letters} dead letters counted, {ledger.get(collection, 0)} in the ledger."
            )


def _enter_rows(
    job: Job,
    connection: psycopg.Connection,
    states: list[PartitionState],
    tallies: dict[str, dict[str, int]],
    balance: Balance,
) -> None:
    sent: dict[str, Counter[str]] = {collection: Counter() for collection in job.plans}
    for state in states:
        sent[state.collection].update(state.counts.get("rows", {}))
    off = tallies.get("rows", {})
    counted: dict[str, int] = {}
    for table in job.schema.tables.values():
        actual = _count(
            connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(job.schema.schema, table.name))
        )
        if table.kind == "junction":
            balance.junctions[table.name] = actual
            merged = tallies.get("merged-pairs", {}).get(table.name, 0)
            balance.merged_pairs[table.name] = merged
            continue  # held against the references below
        counted[table.name] = actual
        collections = [name for name in table.collections if name in job.plans]
        for collection in collections:
            mine = sent[collection][table.name] + tallies.get(rows_of(collection), {}).get(table.name, 0)
            balance.collections[collection].tables[table.name] = mine if len(collections) > 1 else actual
        expected = sum(sent[collection][table.name] for collection in collections) + off.get(table.name, 0)
        if actual != expected:
            balance.differences.append(f"{table.name}: {expected} rows expected, {actual} are in the table.")
    for tables, collections in _together(job):
        expected = sum(balance.collections[collection].copied for collection in collections)
        actual = sum(counted[table] for table in tables)
        if actual != expected:
            balance.differences.append(
                f"{', '.join(tables)}: {expected} documents of {', '.join(collections)} copied,"
                f" {actual} are in the table{'s' if len(tables) > 1 else ''}."
            )


def _together(job: Job) -> list[tuple[list[str], list[str]]]:
    """Return root tables and source collections in groups, such that a group's documents are its tables' rows."""
    groups: list[tuple[set[str], set[str]]] = []
    for table in job.schema.tables.values():
        if table.kind != "root":
            continue
        tables, collections = {table.name}, {name for name in table.collections if name in job.plans}
        for group in [group for group in groups if group[1] & collections]:
            groups.remove(group)
            tables |= group[0]
            collections |= group[1]
        groups.append((tables, collections))
    return [(sorted(tables), sorted(collections)) for tables, collections in groups]


def _enter_references(
    job: Job, connection: psycopg.Connection, totals: Counts, tallies: dict[str, dict[str, int]], balance: Balance
) -> None:
    counted = totals.get("references", {})
    off = tallies.get("references", {})
    orphans: dict[tuple[str, str], list[tuple[str, bool, int]]] = {}
    for table, column, action, by_default, count in connection.execute(
        statement("ledger", "orphan_counts"), {"run": job.run.id}
    ).fetchall():
        orphans.setdefault((str(table), str(column)), []).append((str(action), bool(by_default), int(count)))
    # Several sites have one name where several flows fill a table, or where values waited; hidden columns are gone.
    sites = {site.name: site for site in reference_sites(job) if not site.shape.startswith("waiting")}
    for site in sites.values():
        books = balance.references.setdefault(site.name, ReferenceBooks())
        books.values = counted.get(site.name, 0) + off.get(site.name, 0)
        books.actions, books.refused, books.by_default = {}, 0, 0
        for action, by_default, count in orphans.get((site.table, site.column), []):
            if action == "dead_letter":
                books.refused += count
            else:
                books.actions[action] = books.actions.get(action, 0) + count
            if by_default:
                books.by_default += count
        books.orphans = sum(books.actions.values())
        books.pending = tallies.get("pending", {}).get(site.name, 0)
        if site.table in balance.junctions:
            books.resolved = books.values - books.orphans - books.pending
            continue
        actual = _count(connection, _values_query(site)) - tallies.get("pending-kept", {}).get(site.name, 0)
        books.resolved = actual - books.actions.get("kept", 0)
        if books.values != books.resolved + books.pending + books.orphans:
            waiting = f", {books.pending} waiting" if books.pending else ""
            balance.differences.append(
                f"{site.name}: {books.values} reference values, {books.resolved} resolved, {books.orphans} orphans"
                f"{waiting}."
            )
    for junction, pairs in balance.junctions.items():
        names = {
            f"{p.junction}.{p.other}" for p in pair_tables(job.feeders, job.schema).values() if p.junction == junction
        }
        resolved = sum(balance.references[name].resolved for name in names)
        merged = balance.merged_pairs.get(junction, 0)
        left = pairs - sum(tallies.get("pending-kept", {}).get(name, 0) for name in names)  # those wait
        if left != resolved - merged:
            balance.differences.append(
                f"{junction}: {resolved} resolved references, {merged} named by both sides, but {pairs} pairs."
            )


def _values_query(site: ReferenceSite) -> sql.Composed:
    return sql.SQL("SELECT count({}) FROM {}").format(site.value, site.everywhere)


def _enter_changes(states: list[PartitionState], tallies: dict[str, dict[str, int]], balance: Balance) -> None:
    for state in states:
        for group, into, prefix in (
            ("adjusted", balance.adjusted, ""),
            ("skips", balance.skips, ""),
            ("extras", balance.extras, f"{state.collection}."),
            ("dropped", balance.dropped, f"{state.collection}."),
        ):
            for name, amount in state.counts.get(group, {}).items():
                into[prefix + name] = into.get(prefix + name, 0) + amount
    groups = (
        ("adjusted", balance.adjusted),
        ("skips", balance.skips),
        ("extras", balance.extras),
        ("dropped", balance.dropped),
    )
    for group, into in groups:
        for name, amount in tallies.get(group, {}).items():
            _take_off(into, name, amount)
        for name in [name for name, amount in into.items() if not amount]:
            del into[name]


def _enter_became(
    states: list[PartitionState], totals: Counts, tallies: dict[str, dict[str, int]], balance: Balance
) -> None:
    """Enter what values became, and hold it against how many changed."""
    found = {place: Counter(names) for place, names in became_in(totals)}
    for place, names in became_in(tallies):
        found.setdefault(place, Counter()).update(names)
    balance.became = {
        place: left
        for place, names in found.items()
        if (left := {name: amount for name, amount in names.items() if amount > 0 or (amount and name == UNTOLD)})
    }
    all_there = all_told(states)
    for place, rest in untold(balance.adjusted, balance.became).items():
        if all_there or rest < 0:
            changed = balance.adjusted.get(place, 0)
            balance.differences.append(f"{place}: {changed} values changed, {changed - rest} are told apart.")


def _take_off(into: dict[str, int], name: str, amount: int) -> None:
    """Add an amount (documents that left: below zero) to a name; what it does not cover, to those under one name."""
    if amount > 0:  # documents that were dead letters and came later
        into[name] = into.get(name, 0) + amount
        return
    own = max(amount, -into.get(name, 0)) if name in into else 0
    if own:
        into[name] += own
    rest = max(
        (other for other in into if other.endswith(f".{REST}") and name.startswith(other[: -len(REST)])),
        key=len,
        default=None,
    )
    if amount != own and rest is not None:
        into[rest] += amount - own


def _left_out_rows(job: Job, connection: psycopg.Connection) -> dict[str, int]:
    """Count the rows that each search index leaves out by its predicate."""
    found: dict[str, int] = {}
    for table in job.schema.tables.values():
        for index in table.indexes:
            if index.kind == "search" and index.where is not None:
                predicate = sql.SQL(index.where)  # pyright: ignore[reportArgumentType]  made by the mapping package
                place = sql.Identifier(job.schema.schema, table.name)
                count = _count(connection, sql.SQL("SELECT count(*) FROM {} WHERE NOT ({})").format(place, predicate))
                if count:
                    found[index.name] = count
    return found


def _empty_columns(job: Job, connection: psycopg.Connection) -> list[str]:
    """Return `table.column` of every column of a non-empty table that holds no value at all.

    The statistics of finish name the candidates; those of a table are then looked at together.
    """
    candidates: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "SELECT tablename::text, attname::text FROM pg_catalog.pg_stats"
        " WHERE schemaname = %s AND tablename = ANY(%s) AND null_frac = 1",
        (job.schema.schema, list(job.schema.tables)),
    ).fetchall():
        spec = next((c for c in job.schema.tables[table].columns if c.name == column), None)
        if spec is not None and spec.role != "extras":
            candidates.setdefault(table, []).append(column)
    found: list[str] = []
    for table, columns in candidates.items():
        query = sql.SQL("SELECT {} FROM {}").format(
            sql.SQL(", ").join(sql.SQL("count({})").format(sql.Identifier(column)) for column in columns),
            sql.Identifier(job.schema.schema, table),
        )
        counts = connection.execute(query).fetchone() or ()
        found += [f"{table}.{column}" for column, values in zip(columns, counts, strict=True) if not values]
    return sorted(found)


def _count(connection: psycopg.Connection, query: sql.Composed) -> int:
    return first_number(connection.execute(query))
