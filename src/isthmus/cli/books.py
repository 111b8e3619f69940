"""Show the balance of a copy for people, and build the JSON of `copy --json`."""

from __future__ import annotations

from collections.abc import Collection
from shlex import quote
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from isthmus.cli.changed_values import show_changed
from isthmus.cli.handled import FATES, show_handled, show_left_out
from isthmus.cli.output import plural, show_hint, show_more, show_paragraph, show_point, show_table, some
from isthmus.cli.so_far import without_junctions
from isthmus.errors import SourceError
from isthmus.transfer.balance import Balance, ReferenceBooks
from isthmus.transfer.moving.resume import Changes
from isthmus.transfer.result import Result
from isthmus.work.listed import listed

_WIDE = 100
"""Columns from which on names and tables stand beside the numbers."""
_MOST_LINES = 20
_MOST_KINDS = 60
"""Fields and reasons: more than most databases have, for nothing of it is to be silent."""
_MOST_NAMES = 4
_MOST_QUIET = 6
_READ_TO_THE_END = frozenset({"crc-differs"})
"""Troubles of a source that show when every document of a collection was read: nothing is left to go on with."""


def copy_json(result: Result, junctions: Collection[str] = ()) -> dict[str, Any]:
    """Return the result of a copy in the shape of DESIGN section 11.

    Args:
        result: What it came to.
        junctions: The mapping's junction tables, which the books of a run that is not complete do not tell apart.
    """
    data: dict[str, Any] = {
        "run": result.run,
        "outcome": result.outcome,
        "exit_code": result.exit_code,
        "resumed": result.resumed,
        "repeated": result.repeated,
        "told": result.told,
        "seconds": round(result.seconds, 3),
        "collections": {},
        "junctions": {},
        "references": {},
        "skipped_collections": result.skipped_collections,
        "skipped_documents": result.skipped_documents,
    }
    if result.balance is not None:
        books = result.balance.as_json()
        data["collections"] = books.pop("collections")
        data["junctions"] = books.pop("junctions")
        data["references"] = books.pop("references")
        data["balance"] = {"balanced": not result.balance.differences, **books}
    else:
        data["collections"] = without_junctions(result.partial, junctions)
    data["moved"] = None if result.moved is None else result.moved.as_json()
    if result.broken:
        data["broken"] = {name: str(fault) for name, fault in result.broken.items()}
    if result.changes is not None:
        data["changes"] = result.changes.as_json()
    return data


def show_result(console: Console, result: Result, target: str) -> None:
    """Print what a copy came to, with what to do next."""
    if result.repeated and result.changes:
        _show_changes(console, result, target)
    elif result.repeated:
        _show_unchanged(console, result, target)
    elif result.balance is not None:
        show_balance(console, result.balance, target)
        show_left_out(console, result)
        show_handled(console, result.balance, target)
        _show_verdict(console, result, target)
    else:
        _show_unfinished(console, result)


def show_balance(console: Console, balance: Balance, target: str) -> None:
    """Print the books: collections, references, changed values, fields without a column. `target` is for commands."""
    table = Table(title="Documents", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("collection", overflow="fold")
    totals = balance.collections.values()
    more = [name for name in ("merged", "kept") if any(getattr(books, name) for books in totals)]
    for name in ("read", "copied", *more, "skipped", "dead letters"):
        table.add_column(name, justify="right", no_wrap=True)
    with_tables = console.width >= _WIDE
    if with_tables:
        table.add_column("tables", overflow="fold")
    for name, books in balance.collections.items():
        table.add_row(
            Text(name),
            f"{books.read:,}",
            f"{books.copied:,}",
            *(some(getattr(books, one)) for one in more),
            some(books.skipped),
            Text(some(books.dead_letters), style="yellow" if books.dead_letters else ""),
            *([Text(", ".join(f"{table} {rows:,}" for table, rows in books.tables.items()))] if with_tables else []),
        )
    table.add_section()
    table.add_row(
        "all",
        f"{sum(b.read for b in totals):,}",
        f"{sum(b.copied for b in totals):,}",
        *(f"{sum(getattr(b, one) for b in totals):,}" for one in more),
        f"{sum(b.skipped for b in totals):,}",
        f"{sum(b.dead_letters for b in totals):,}",
        style="bold",
    )
    show_table(console, table)
    if not with_tables:
        _show_other_tables(console, balance)
    _show_references(console, balance, target)
    _show_lists(console, balance, target)


def _show_other_tables(console: Console, balance: Balance) -> None:
    """Print where documents went that did not become a row each of one table of their collection's name."""
    others = {
        name: books.tables
        for name, books in balance.collections.items()
        if books.tables
        and (list(books.tables) != [name] or books.tables[name] not in {books.copied, books.copied + books.kept})
    }
    if others:
        console.print("\nCollections that fill other tables, or several", style="bold")
    for name, tables in others.items():
        show_paragraph(console, f"  {name}: ", ", ".join(f"{table} {rows:,}" for table, rows in tables.items()))


def _named(console: Console, name: str) -> Text:
    """Return `table.column`; below each other where both beside numbers would be broken somewhere."""
    first, dot, rest = name.partition(".")
    below = rest.replace("|", "\n  |")
    return Text(name if console.width >= _WIDE or not dot else f"{first}\n  .{below}")


def _show_references(console: Console, balance: Balance, target: str) -> None:
    """Print references with orphans one by one, the others as a sum where there are many."""
    if not balance.references:
        return
    loud = {name for name, books in balance.references.items() if books.orphans or books.refused or books.pending}
    quiet = {name: books for name, books in balance.references.items() if name not in loud}
    waiting = any(books.pending for books in balance.references.values())
    fold = len(quiet) > _MOST_QUIET
    table = Table(title="\nReferences", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("reference", overflow="fold")
    for name in ("values", "resolved", *(["waiting"] if waiting else []), "orphans"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("what became of them")
    for name, books in balance.references.items():
        if not (fold and name in quiet):
            orphans = some(books.orphans + books.refused)
            pending = [some(books.pending)] if waiting else []
            fate = _fate(books)
            table.add_row(_named(console, name), f"{books.values:,}", f"{books.resolved:,}", *pending, orphans, fate)
    if fold:
        values = sum(books.values for books in quiet.values())
        dash = ["–"] if waiting else []
        table.add_row(f"{len(quiet)} others, no orphans", f"{values:,}", f"{values:,}", *dash, "–", "")
    show_table(console, table)
    _show_waiting(console, balance, target)
    if balance.junctions:
        pairs = Table(title="\nJunction tables", title_justify="left", title_style="bold", box=None, pad_edge=False)
        pairs.add_column("table", overflow="fold")
        pairs.add_column("pairs", justify="right", no_wrap=True)
        pairs.add_column("of them named twice", justify="right", no_wrap=True)
        for name, count in balance.junctions.items():
            merged = balance.merged_pairs.get(name, 0)
            pairs.add_row(Text(name), f"{count:,}", some(merged))
        show_table(console, pairs)


def _show_waiting(console: Console, balance: Balance, target: str) -> None:
    """Print what waits for a later copy, and what of earlier ones came with this one."""
    waiting = sum(books.pending for books in balance.references.values())
    if waiting:
        console.print(
            f"References that wait for collections which this copy did not carry: {waiting:,}. A later copy sets them;"
            f" isthmus orphans list --target {quote(target)} shows them until then.",
            markup=False,
            soft_wrap=True,
        )
    for key, count in balance.waiting_keys.items():
        if count:
            console.print(
                f"  Left empty until then for the sake of the foreign key {key}: {count:,}",
                markup=False,
            )
    came = sum(balance.came.values())
    if came:
        console.print(f"References of earlier copies that had waited and are set now: {came:,}")


def _fate(books: ReferenceBooks) -> Text:
    fates = [f"{count:,} {FATES.get(action, action)}" for action, count in books.actions.items()]
    if books.refused:
        fates.append(f"{books.refused:,} made a dead letter")
    fate = Text(", ".join(fates))
    if books.by_default:
        fate.append(" (no policy stated)", style="yellow")
    return fate


def _show_lists(console: Console, balance: Balance, target: str) -> None:
    show_changed(console, balance.adjusted, balance.became)
    for title, entries in (
        ("Fields nobody named, kept in extras", balance.extras),
        ("Fields dropped by name", balance.dropped),
        ("Documents skipped, because", balance.skips),
    ):
        if entries:
            console.print()
            console.print(title, style="bold")
            shown = sorted(entries.items(), key=lambda entry: -entry[1])
            for name, count in shown[:_MOST_KINDS]:
                show_paragraph(console, f"  {count:>9,}  ", name)
            show_more(console, len(shown) - _MOST_KINDS, "--json lists all")
            if entries is balance.extras and _met(balance, _STAYING):
                console.print("  Those of documents whose row stays as it was are counted here, and not kept.")
    _show_met_rows(console, balance, target)
    if balance.left_out_rows:
        console.print()
        console.print("Rows that are carried but too long for a search index", style="bold")
        for name, count in balance.left_out_rows.items():
            console.print(f"  {count:>9,}  {name}", markup=False)
    if balance.empty_columns:
        console.print()
        console.print("Columns that came out empty (is the field's name right?)", style="bold")
        show_paragraph(console, "  ", ", ".join(balance.empty_columns))


_MET = {
    "kept": "kept as they were, although the source has other values",
    "kept-before": "kept as they were by an earlier copy, and the source has not changed since",
    "same": "the same on both sides",
    "edited": "edited in the target since they were carried, and kept",
    "overwritten": "overwritten with the source's values",
    "updated": "brought up to date",
    "deleted": "deleted in the target since they were carried, and left so",
    "gone": "carried before, and no longer in the source; nothing was deleted",
    "gone-before": "no longer in the source since an earlier copy, which said so",
}
_STAYING = ("kept", "kept-before", "edited", "deleted")
_LISTED = ("kept", "overwritten", "deleted", "gone")  # in `isthmus.conflict`


def _met(balance: Balance, verdicts: Collection[str]) -> int:
    """Count the rows that were there before and of which one of these is said."""
    return sum(count for found in balance.met_rows.values() for verdict, count in found.items() if verdict in verdicts)


def _show_met_rows(console: Console, balance: Balance, target: str) -> None:
    """Print what became of documents whose row was there before."""
    if not any(balance.met_rows.values()):
        return
    console.print()
    console.print("Rows that were there before", style="bold")
    for collection, verdicts in balance.met_rows.items():
        for verdict, count in verdicts.items():
            console.print(f"  {count:>9,}  {collection}: {_MET.get(verdict, verdict)}", markup=False)
    if _met(balance, _LISTED):
        command = f"isthmus conflicts list --target {quote(target)}"
        console.print(f"  {command} names the rows that differ, and in what.", markup=False, soft_wrap=True)


def _show_verdict(console: Console, result: Result, target: str) -> None:
    balance = result.balance
    if balance is None:
        return
    console.print()
    if balance.differences:
        show_unbalanced(console, balance)
        _show_moved(console, result)
        return
    if balance.complete:
        console.print(
            f"The books balance: every document and every reference is accounted for. ({result.seconds:.1f} s)",
            style="bold" if result.moved else "bold green",
        )
        _show_moved(console, result)
        return
    console.print(f"The books balance, but not everything was carried ({result.seconds:.1f} s):", style="bold yellow")
    _show_wanting(console, balance, target)
    _show_moved(console, result)


def moved_words(moved: Changes) -> str:
    """Return how a source moved while it was read, in one line without a full stop."""
    counts = f"{moved.new:,} new, {moved.changed:,} changed, {moved.gone:,} gone"
    return f"The source moved while it was read: {counts}"


def _show_moved(console: Console, result: Result) -> None:
    """Print how the source moved while it was read, unless it stood still or this was told before."""
    if not result.moved or result.told:
        return
    console.print(f"{moved_words(result.moved)}.", style="bold yellow")
    _show_named(console, result.moved)
    console.print(
        "  The target has these documents as they were when they were read: new ones are not in it, changed ones are as"
        " they had been, and of those that are gone it has the rows.\n"
        "  → If that will not do, stop whatever writes to the source and copy again with --fresh (it drops what this"
        " run made)."
    )


def _show_named(console: Console, changes: Changes) -> None:
    """Print the ids of documents that are new, changed or gone, as far as they are known."""
    for collection in dict.fromkeys((*changes.named, *changes.gone_ids)):
        new, changed = (ids.get(collection, []) for ids in (changes.new_ids, changes.changed_ids))
        rest = [name for name in changes.named.get(collection, []) if name not in {*new, *changed}]
        kinds = (("new", new), ("changed", changed), ("new or changed", rest))
        for words, ids in (*kinds, ("gone", changes.gone_ids.get(collection, []))):
            if ids:
                more = " …" if len(ids) > _MOST_LINES else ""
                show_paragraph(console, "  ", f"{collection}, {words}: {', '.join(ids[:_MOST_LINES])}{more}")
    unnamed = changes.gone - sum(map(len, changes.gone_ids.values()))
    if unnamed > 0 and not changes.gone_room:
        show_paragraph(console, "  ", f"{unnamed:,} more are gone.")
    elif unnamed > 0:
        show_paragraph(
            console,
            "  ",
            f"{plural(unnamed, 'document that is', 'documents that are')} gone cannot be named: the target holds no id"
            " of what a rule left behind, nor of rows whose table has no column of ids.",
        )


def _show_wanting(console: Console, balance: Balance, target: str) -> None:
    """Print what is not in the target as the mapping asks, each with where to see it."""
    if balance.dead_letters:
        console.print(
            f"  • {plural(balance.dead_letters, 'dead letter')}: isthmus letters list --target {quote(target)}",
            markup=False,
            soft_wrap=True,
        )
    if balance.orphans_by_default:
        console.print(
            f"  • {plural(balance.orphans_by_default, 'orphan')} handled by a default; state on_orphan in the mapping:"
            f" isthmus orphans list --target {quote(target)}",
            markup=False,
            soft_wrap=True,
        )
    if balance.conflicts_by_default:
        console.print(
            f"  • {plural(balance.conflicts_by_default, 'row')} kept by a default although the document differs; state"
            " on_conflict in the mapping (on_conflict: keep_target, if that is meant): isthmus conflicts list --target"
            f" {quote(target)}",
            markup=False,
            soft_wrap=True,
        )
    for name, count in balance.refused_waiting.items():
        show_point(
            console,
            f"{plural(count, 'reference')} of {name} refused by the table, although what they waited for is there now:"
            f" isthmus orphans list --target {quote(target)}",
        )
    for index in balance.left_out_indexes:
        show_point(console, f"index {index} is left out: a value is too long for it")


def left_behind(balance: Balance) -> str:
    """Return what is not in the target as the mapping asks, in one line; empty when nothing is."""
    indexes, refused = balance.left_out_indexes, sum(balance.refused_waiting.values())
    parts = [
        plural(balance.dead_letters, "dead letter") if balance.dead_letters else "",
        f"{plural(balance.orphans_by_default, 'orphan')} handled by a default" if balance.orphans_by_default else "",
        f"{plural(balance.conflicts_by_default, 'row')} kept by a default" if balance.conflicts_by_default else "",
        f"{plural(refused, 'reference')} refused by the table" if refused else "",
        f"{plural(len(indexes), 'index', 'indexes')} left out ({', '.join(indexes)})" if indexes else "",
    ]
    return ", ".join(part for part in parts if part)


def left_behind_json(balance: Balance) -> dict[str, Any]:
    """Return the numbers and names of `left_behind`, and the differences of books that do not balance."""
    return {
        "dead_letters": balance.dead_letters,
        "orphans_by_default": balance.orphans_by_default,
        "conflicts_by_default": balance.conflicts_by_default,
        "left_out_indexes": balance.left_out_indexes,
        "differences": balance.differences,
    }


def show_unbalanced(console: Console, balance: Balance) -> None:
    """Print every difference of books that do not balance, and what that means."""
    console.print("The books do not balance:", style="bold red")
    for sentence in balance.differences:
        show_point(console, sentence)
    console.print("  → This is a fault of Isthmus. Do not rely on this copy, and please report it.")


def _show_unchanged(console: Console, result: Result, target: str) -> None:
    balance = result.balance
    _show_untold(console, result, target)
    console.print(
        f"Run {result.run} is complete and the source is unchanged: nothing to do, nothing was written.",
        style="bold green" if balance is not None and balance.complete else "bold",
    )
    for name in result.changes.reordered if result.changes is not None else ():
        console.print(f"  {name} holds the same documents in another order.", markup=False)
    _show_standing(console, result, target, "It")


def _show_untold(console: Console, result: Result, target: str) -> None:
    """Print the books of a run that was complete before, if the process that finished it ended before it could."""
    if result.told or result.balance is None or (result.balance.complete and not result.moved):
        return
    show_balance(console, result.balance, target)
    console.print()
    if result.moved:
        _show_moved(console, result)
        console.print()


def _show_standing(console: Console, result: Result, target: str, subject: str) -> None:
    """Print in what a run that was complete before falls short; nothing when it does not. `subject` names the run."""
    balance = result.balance
    if balance is not None and balance.differences:
        show_unbalanced(console, balance)
    elif balance is not None and not balance.complete:
        console.print(f"{subject} balances, but not everything was carried:", style="bold yellow")
        _show_wanting(console, balance, target)


def _show_changes(console: Console, result: Result, target: str) -> None:
    changes = result.changes
    if changes is None:
        return
    _show_untold(console, result, target)
    _show_standing(console, result, target, f"Run {result.run}")
    console.print(
        f"Run {result.run} is complete, but the source changed since. Nothing was written.", style="bold yellow"
    )
    console.print(f"  new documents: {changes.new:,}   changed: {changes.changed:,}   gone: {changes.gone:,}")
    _show_named(console, changes)
    for collection, why in changes.broken.items():
        console.print(f"  {collection}: {why}", markup=False)
    if result.delivers:
        show_hint(
            console,
            "Copy again with --fresh to carry them. It drops nothing that was delivered: rows that are there follow the"
            " source with `on_conflict: overwrite` or `rerun: tracked` in the mapping. None is deleted.",
            indent=2,
        )
    elif changes.new or changes.changed or changes.broken:
        console.print("  → Copy again with --fresh to carry them (it drops what this run made).")
    else:
        console.print(
            "  → They are still in the target. Copying again with --fresh would make the target as the source is now"
            " (it drops what this run made)."
        )


def _show_unfinished(console: Console, result: Result) -> None:
    read = sum(books["read"] for books in result.partial.values())
    if result.outcome == "interrupted":
        accounted = f"{plural(read, 'document is', 'documents are')} accounted for and committed."
        console.print(f"Stopped as asked. {accounted}", style="bold yellow")
        _show_broken(console, result)
        if result.fresh and result.run is not None:
            console.print("  → Run the same command without --fresh to go on from here; with it, it starts over.")
        else:
            console.print("  → Run the same command again to go on from here.")
        return
    _show_broken(console, result)
    documents = plural(read, "document")
    if all(fault.code in _READ_TO_THE_END for fault in result.broken.values()) and result.broken:
        console.print(f"What was read is committed ({documents}) and not proven; keys and references wait.")
        return
    console.print(f"Everything before that is committed ({documents}); keys and references wait for the rest.")
    if any(fault.code in _READ_TO_THE_END for fault in result.broken.values()):
        console.print("  → Repair the source and run the same command again with --fresh.")
    else:
        without = " without --fresh" if result.fresh else " again"
        console.print(f"  → Repair the source and run the same command{without}; it goes on from here.")


def _show_broken(console: Console, result: Result) -> None:
    if not result.broken:
        return
    untrue = {name: fault for name, fault in result.broken.items() if fault.code in _READ_TO_THE_END}
    cut = {name: fault for name, fault in result.broken.items() if name not in untrue}
    one, several = "collection was read to the end and is", "collections were read to the end and are"
    for heading, faults in (
        (f"{plural(len(cut), 'collection')} could not be read to the end:", cut),
        (f"{plural(len(untrue), one, several)} not what was dumped:", untrue),
    ):
        if faults:
            console.print(heading, style="bold red")
        for names, fault in _alike(faults):
            show_point(console, f"{listed(names, _MOST_NAMES)}: {fault if len(names) == 1 else fault.message}")
            if fault.hint:
                show_hint(console, fault.hint, indent=4)


def _alike(faults: dict[str, SourceError]) -> list[tuple[list[str], SourceError]]:
    """Return collections that broke off for one reason together, with the reason: a server that went ends them all."""
    found: dict[tuple[str, str | None], tuple[list[str], SourceError]] = {}
    for name, fault in faults.items():
        found.setdefault((fault.message, fault.hint), ([], fault))[0].append(name)
    return list(found.values())
