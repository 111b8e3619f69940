"""`isthmus refs audit`: every reference that leads nowhere, in documents and in rows."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import (
    DatabaseOption,
    IgnoreOplogOption,
    JsonOption,
    LookTargetOption,
    MappingArgument,
    RetrySecondsOption,
    SourceOption,
    check_sample,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from isthmus.polyglot.audit_result import Audit, Place

_SHOWN = 10
_KINDS = {
    "nowhere": "names no document and no row",
    "row-gone": "is the id of a row that does not exist any more",
    "row": "leads to no row and to no document",
    "waits": "waits for a row, and no document is there that could bring it",
}


def audit(
    mapping: MappingArgument,
    source: SourceOption,
    target: LookTargetOption,
    db: DatabaseOption = None,
    ignore_oplog: IgnoreOplogOption = False,
    sample: Annotated[
        str,
        typer.Option(
            "--sample",
            metavar="N",
            callback=check_sample,
            help="Documents of each collection whose references are looked at, or all. Rows are always all looked at.",
        ),
    ] = "all",
    retry_seconds: RetrySecondsOption = 60.0,
    json_file: JsonOption = None,
) -> int:
    """Find every reference that leads nowhere, in the documents of SOURCE and in the rows of TARGET.

    MAPPING says where references stand. A value of a document dangles when no document that is there and no row of the
    target is meant by it; one that is an id of the target, as refs rewrite writes them, dangles when that row is gone.
    A reference of a row dangles when it leads to no row and to no document: columns without a foreign key, elements of
    arrays, ids inside jsonb, references that wait for a later copy. What the ledgers of a copy have already is told
    apart as known. Both sides may be written to meanwhile.

    Writes nothing: in TARGET there are temporary tables as long as it runs, for which the role needs the right
    TEMPORARY.

    The JSON: outcome (clean, dangling, incomplete), exit_code, new, known, in_documents and in_rows (of each place:
    place, leads_to, values, to_rows, to_documents, new, known, kinds, forms, and listed, at most 1,000 of id, place,
    value, kind, known), unreadable, absent, broken.

    Exit codes: 0 nothing dangles that no ledger knows, 1 something does, or not all could be read, 2 usage or mapping,
    3 source, 4 target, 130 stopped.
    """
    from isthmus.cli.bars import ProgressView
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import say_nothing_was_committed, stop_on_signals, tidied_before_leaving
    from isthmus.cli.opening import open_waiting
    from isthmus.cli.output import err, result_console, show_hint, write_json
    from isthmus.cli.target import telling_trouble
    from isthmus.connect.target import open_target
    from isthmus.mapping import load_mapping
    from isthmus.polyglot.audit import audit_references
    from isthmus.sources.reading import Options
    from isthmus.work.progress import Progress

    with writing_refusals(json_file, failed_json):
        say_nothing_was_committed()
        checked = load_mapping(mapping)
        progress = Progress()
        opening = open_waiting(source, database=db, ignore_oplog=ignore_oplog, seconds=retry_seconds, progress=progress)
        with (
            closing(opening) as opened,
            open_target(target) as address,
            tidied_before_leaving(address.close),
            stop_on_signals(err, "stopping") as stop,
            ProgressView(progress),
            telling_trouble(address.conninfo, ["isthmus", checked.target.schema_name], values=False),
        ):
            wanted = None if sample == "all" else int(sample)
            found = audit_references(
                checked,
                opened,
                address.conninfo,
                target_name=address.display,
                options=Options(workers=1, sample=wanted, retry_seconds=retry_seconds),
                progress=progress,
                stop=stop,
            )
        code = 0 if found.outcome == "clean" else 1
        show_audit(result_console(json_file), found)
        write_json({**found.as_json(), "exit_code": code}, json_file)
    if found.new:
        show_hint(err, "The how-to page find-dangling-references says what to do about each kind.", indent=0)
    return code


def show_audit(console: Console, found: Audit) -> None:
    """Print what an audit came to."""
    from isthmus.cli.output import plural, show_paragraph

    _show_places(console, "In documents", found.in_documents)
    _show_places(console, "In rows", found.in_rows)
    for place in (*found.in_documents, *found.in_rows):
        if place.new:
            _show_dangling(console, place)
    for name, (count, known) in sorted(found.unreadable.items()):
        letters = f" ({known:,} in the ledger of dead letters)" if known else ""
        show_paragraph(console, "", f"{plural(count, 'document')} of {name} could not be read{letters}.")
    for name, reasons in sorted(found.broken.items()):
        show_paragraph(console, "", f"{name} could not be read to its end: {' '.join(reasons)}")
    if found.absent:
        words = ", ".join(found.absent)
        show_paragraph(console, "", f"Not in the source, so no document of it can be meant: {words}.")
    if found.at_work is not None:
        show_paragraph(console, "", f"Another isthmus ({found.at_work}) writes to the target now; the numbers move.")
    show_paragraph(console, "", verdict(found))


def verdict(found: Audit) -> str:
    """Return what an audit came to, in a sentence."""
    from isthmus.cli.output import plural
    from isthmus.work.amounts import duration_text

    looked = sum(place.values or 0 for place in (*found.in_documents, *found.in_rows))
    of = f"of {plural(looked, 'reference')}{' in a sample of the documents' if found.sampled else ''}"
    known = f"; a ledger has {found.known:,} more" if found.known else ""
    took = f" ({duration_text(found.seconds)})"
    if found.new:
        lead, it = ("leads", "it") if found.new == 1 else ("lead", "them")
        return f"{found.new:,} {of} {lead} nowhere, and no ledger knows {it}{known}.{took}"
    known = f"; a ledger has {found.known:,} that dangle" if found.known else ""
    end = "" if found.whole else " But not everything could be read."
    return f"None {of} dangles{' that no ledger knows' if found.known else ''}{known}.{end}{took}"


def _show_places(console: Console, title: str, places: Sequence[Place]) -> None:
    from rich.text import Text

    from isthmus.cli.output import plural, show_paragraph, show_rows, some

    console.print(Text(title, style="bold"))
    told = [place for place in places if place.to_documents or place.dangling]
    if told:
        rows = [
            (
                place.name,
                f"{place.values or 0:,}",
                some(place.to_rows),
                some(place.to_documents),
                some(place.known),
                some(place.new),
            )
            for place in told
        ]
        names = ("place", "values", "rows", "documents", "known", "dangling")
        show_rows(console, names, rows, numbers=names[1:])
    rest = [place for place in places if place not in told and not place.why_not]
    if rest:
        values = plural(sum(place.values or 0 for place in rest), "reference")
        words = f"{'All ' if not told else ''}{values} at {plural(len(rest), 'place')}{' more' if told else ''}"
        show_paragraph(console, "  ", f"{words}: each leads to a row.")
    if not places:
        console.print("  The mapping names no reference.")
    for place in places:
        if place.why_not:
            show_paragraph(console, "  ", f"{place.name}: not looked at, {place.why_not}")
    console.print()


def _show_dangling(console: Console, place: Place) -> None:
    from rich.text import Text

    from isthmus.cli.output import show_more, show_paragraph

    console.print(Text(f"{place.name}: {place.new:,} of {place.values or 0:,}", style="yellow"))
    new = [one for one in place.listed if not one.known]
    for one in new[:_SHOWN]:
        where = "" if one.place == place.name else f" {one.place}"
        show_paragraph(console, "  ", f"{one.holder}:{where} {one.value} {_KINDS[one.kind]}")
    show_more(console, place.new - _SHOWN, "--json has them")
    console.print()
