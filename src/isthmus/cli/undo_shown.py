"""What taking back came to, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isthmus.cli.output import plural, show_hint, show_more, show_paragraph, show_rows, some

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.transfer.undoing.result import InTheWay, UndoResult

_SHOWN = 5
"""Ids that a terminal lists of each table and reason."""

_LONGEST = 60
"""Characters of a value that a terminal shows."""

_WHY = {
    "edited": ("row", "written to since the copy, or in child rows"),
    "written-beside": ("row", "written to since the copy, in columns that the mapping does not fill"),
    "changed-by-copy": ("row", "that stood there before, written to by a copy: what stood there is not known"),
    "unknown": ("row", "carried by an older Isthmus, which did not note what it found there"),
    "shared": ("row", "made of documents of other collections, too"),
    "pair-added": ("pair", "added since by others"),
    "pair-edited": ("pair", "written to since the copy"),
    "pair-removed": ("pair", "taken away since the copy"),
    "referred": ("row", "referring to rows that would go"),
    "rewritten": ("row", "whose id stands in documents of MongoDB (refs rewrite)"),
    "other-id": ("row", "whose id others have put into documents of MongoDB, in the place of what refs rewrite wrote"),
    "new": ("row", "that others added since the first copy"),
    "not-ours": ("row", "that no copy brought, and nobody noted whether they stood there before"),
}

_DO = {
    "edited": "isthmus verify MAPPING --source SOURCE --layers checksum names each column with what its document gives:"
    " put them back as they were. Or delete them when what was written is kept elsewhere: a row that is deleted by hand"
    " stays deleted.",
    "written-beside": "Put them back as they were (what untouched rows hold there is what the table gives by itself)."
    " Or delete them when what was written is kept elsewhere: a row that is deleted by hand stays deleted.",
    "changed-by-copy": "They cannot be taken back: put them back by hand, from a backup, or leave this copy as it is.",
    "unknown": "They cannot be told from rows of others: delete by hand what is not to stay.",
    "shared": "Take back all of these collections together: name them with --only, too.",
    "pair-added": "Delete them when they are kept elsewhere.",
    "pair-edited": "Delete them and their rows when they are kept elsewhere.",
    "pair-removed": "Put them back, so that nothing is lost that somebody decided since.",
    "rewritten": "Put the old ids back first: isthmus refs rewrite MAPPING --undo --live (with --to ENTRY those of one"
    " entry).",
    "other-id": "isthmus refs rewrite MAPPING --undo lists the documents, and cannot put these back. Write into them"
    " what they are to hold in MongoDB and run it with --live; or let the ids stay: --undo --leave-ids --live.",
    "new": "MongoDB has none of them: carry them there, or delete them when they are kept elsewhere. --leave-new-rows"
    " takes back the rest and leaves those where they are that refer to no row which would go.",
    "not-ours": "Those that others added since the first copy are not in MongoDB. --leave-new-rows takes back the rest"
    " and leaves all of these where they are.",
    "referred": "They cannot stay when these rows go, whatever --leave-new-rows says. Take back what carried them as"
    " well (--only); or let them go first (sign-ins, sessions), or have them refer to other rows.",
}


def show_result(console: Console, result: UndoResult) -> None:
    """Print the rows by table, what stands in the way with the first ids, and what to do next."""
    names = list(dict.fromkeys([*result.removed, *result.stayed, *result.deleted]))
    if names:
        goes = "removed" if result.outcome == "done" else "would go"
        columns = ["table", goes]
        columns += ["stays as it was"] if result.stayed else []
        columns += ["deleted by others"] if result.deleted else []
        rows = [
            [
                name,
                some(result.removed[name]),
                *([some(result.stayed[name])] if result.stayed else []),
                *([some(result.deleted[name])] if result.deleted else []),
            ]
            for name in names
        ]
        show_rows(console, columns, rows, numbers=columns[1:])
    for name, count in result.waiting.items():
        wait = "waiting again" if result.outcome == "done" else "would wait again"
        show_paragraph(console, "  • ", f"{plural(count, 'reference')} of {name} {wait}.")
    for one in result.left:
        stays = "left where they are" if result.outcome == "done" else "would be left where they are"
        _show_listed(console, "• ", one, f"; {stays}")
    for one in result.in_the_way:
        _show_listed(console, "✗ ", one)
        _show_columns(console, one)
        show_hint(console, _DO[one.why], indent=2)
        if one.triggers:
            words = (
                f"Triggers write, too, when such a row is changed: {', '.join(one.triggers)}. Put back what they keep"
                " (such as the time of a change) in the same UPDATE; if they overwrite that, disable them meanwhile"
                " (ALTER TABLE … DISABLE TRIGGER …)."
            )
            show_hint(console, words, indent=2)
    for note in result.notes if result.outcome != "done" else ():
        show_paragraph(console, "  • ", note)
    _show_ending(console, result)


def _show_listed(console: Console, mark: str, one: InTheWay, stays: str = "") -> None:
    detail = f" ({one.detail})" if one.detail else ""
    noun, what = _WHY[one.why]
    show_paragraph(console, mark, f"{one.table}{detail}: {plural(one.count, noun)} {what}{stays}.")
    for shown in one.ids[:_SHOWN]:
        show_paragraph(console, "    ", shown)
    show_more(console, one.count - min(len(one.ids), _SHOWN), "--json FILE lists them (--limit)", indent=4)


def _show_columns(console: Console, one: InTheWay) -> None:
    """Print which columns differ, and what they held when the rows were carried."""
    for column in one.columns:
        carried = "NULL" if column.carried is None else column.carried
        shown = carried if len(carried) <= _LONGEST else f"{carried[:_LONGEST]}…"
        show_paragraph(console, "    ", f"{column.column} of {plural(column.count, 'row')}: it was {shown}")


def _show_ending(console: Console, result: UndoResult) -> None:
    count = plural(sum(result.removed.values()), "row")
    tables = plural(len(result.removed), "table")
    if result.outcome == "nothing":
        console.print("Nothing is left to take back.", style="bold green")
    elif result.outcome == "interrupted":
        console.print("Stopped as asked. Nothing was removed.", style="bold yellow")
    elif result.outcome == "in-the-way":
        stands = sum(one.count for one in result.in_the_way)
        console.print(f"Nothing was removed: {plural(stands, 'thing')} in the way.", style="bold yellow")
    elif result.outcome == "clear":
        console.print(f"Dry run: {count} of {tables} would go; nothing stands in the way.", style="bold green")
        show_hint(console, "Nothing was written. Run it with --live to remove them.", indent=2)
    else:
        console.print(f"{count} of {tables} removed ({result.seconds:.1f} s).", style="bold green", soft_wrap=True)
        forgotten = [str(run["id"]) for run in result.runs if run["forgotten"]]
        if forgotten:
            word = "Run" if len(forgotten) == 1 else "Runs"
            show_paragraph(console, "  • ", f"{word} {', '.join(forgotten)} forgotten, with letters and orphans.")
        partly = [str(run["id"]) for run in result.runs if not run["forgotten"]]
        if partly:
            word = "Run" if len(partly) == 1 else "Runs"
            show_paragraph(
                console,
                "  • ",
                f"{word} {', '.join(partly)} carried other collections, too: to verify these, copy them again.",
            )
        show_hint(console, "A later copy brings them again, with the same ids.", indent=2)
