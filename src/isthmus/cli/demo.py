"""`isthmus demo`: the main job on a sample, with everything that went wrong shown."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import JsonOption

if TYPE_CHECKING:
    from isthmus.demo.lay_out import LaidOut
    from isthmus.demo.story import Chapter
    from isthmus.state.reports import LetterLine


def demo(
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Folder for the sample and the embedded server's files.")
    ] = Path("isthmus-demo"),
    json_file: JsonOption = None,
) -> int:
    """Copy a sample MongoDB database into an embedded PostgreSQL, and show where every document went.

    The sample is a small CRM: references, both-sided arrays, sub-documents, and on purpose some orphans and some
    documents that no table can hold. Needs no server. May be repeated; it starts over. A file of the sample that you
    changed stays as it is; the shipped one is laid out beside it.

    Exit code 0 when every planted fault is where the mapping says.
    """
    from isthmus.cli.bars import ProgressView
    from isthmus.cli.books import copy_json, show_balance, show_result
    from isthmus.cli.findings import uncopied_json, writing_refusals
    from isthmus.cli.interrupt import stop_on_signals, tidied_before_leaving
    from isthmus.cli.output import delivered, err, result_console, show_lost_output, write_json
    from isthmus.cli.so_far import noting_run
    from isthmus.cli.streams import reader_left
    from isthmus.connect.embedded_files import reachable
    from isthmus.connect.target import open_target
    from isthmus.demo.lay_out import lay_out
    from isthmus.mapping import load_mapping
    from isthmus.sources import open_source
    from isthmus.transfer.job import Options
    from isthmus.transfer.run import copy_database, tell
    from isthmus.work.progress import Progress

    folder.mkdir(parents=True, exist_ok=True)
    data = reachable(folder / "postgres")
    target = f"embedded:{data if data.parent != folder.absolute() else folder / 'postgres'}"
    console = result_console(json_file)
    console.print("Isthmus demo: a small CRM, from a mongodump folder to PostgreSQL", style="bold")
    laid_out = lay_out(folder)
    dump, mapping = laid_out.dump, laid_out.mapping
    console.print(f"  source   {dump}", markup=False)
    console.print(f"  mapping  {mapping}   (read it: it explains itself)", markup=False)
    console.print(f"  target   {target}  (an embedded PostgreSQL, started now)\n", markup=False)
    for kept in laid_out.kept:
        err.print(f"{kept} was changed since it was laid out: it stays as it is and is not used here.", markup=False)
    known: dict[str, Any] = {}
    with (
        writing_refusals(json_file, lambda fault: uncopied_json(fault, known)),
        closing(open_source(str(dump))) as source,
        open_target(target, create=True) as address,
        tidied_before_leaving(address.close),
        noting_run(known, address.conninfo),
        stop_on_signals(err) as stop,
    ):
        progress = Progress()
        with ProgressView(progress):
            checked = load_mapping(mapping)
            result = copy_database(
                checked,
                source,
                address.conninfo,
                mapping_text=mapping.read_text(encoding="utf-8"),
                options=Options(fresh=True),
                progress=progress,
                stop=stop,
            )
        if result.balance is None:
            show_result(console, result, target)
            write_json(copy_json(result, checked.junctions), json_file)
            return result.exit_code
        show_balance(console, result.balance, target)
        chapters, letter = _story(address.conninfo, sum(result.balance.skips.values()))
        letters = result.balance.dead_letters
        _show_story(chapters, letters, json_file)
        good = not result.balance.differences and all(chapter.as_planned for chapter in chapters)
        _suggest(laid_out, target, letter, letters, json_file, good=good)
        planted = [{**vars(chapter), "as_planned": chapter.as_planned} for chapter in chapters]
        write_json({**copy_json(result, checked.junctions), "planted": planted}, json_file)
        if delivered(json_file):
            tell(address.conninfo, result)
    if json_file == "-" and reader_left():
        return show_lost_output()
    return 0 if good else 1


def _story(conninfo: str, skipped: int) -> tuple[list[Chapter], LetterLine | None]:
    """Read the ledgers and hold the planted faults against them; also return a dead letter worth a look, if any."""
    from isthmus.connect.postgres import connect
    from isthmus.demo.story import tell
    from isthmus.state.orphans import list_orphans
    from isthmus.state.reports import list_adjustments, list_letters, object_ids, require_run

    with connect(conninfo, autocommit=True) as connection:
        run = require_run(connection)
        letters = list(list_letters(connection, [(run.id, None)]))
        orphans = list(list_orphans(connection, [(run.id, None)]))
        adjusted = list(list_adjustments(connection, run.id))
        holders = object_ids(connection, (orphan.row_id for orphan in orphans))
    chapters = tell(
        ((letter.collection, letter.source_id, letter.code) for letter in letters),
        ((orphan.collection, holders.get(orphan.row_id), orphan.action) for orphan in orphans),
        ((one.collection, one.source_id, one.kind) for one in adjusted),
        skipped,
    )
    return chapters, letters[0] if letters else None


def _show_story(chapters: list[Chapter], letters: int, json_file: str | None) -> None:
    from rich.table import Table
    from rich.text import Text

    from isthmus.cli.output import plural, result_console, show_table
    from isthmus.demo.story import planted_letters

    table = Table(
        title="\nWhat was planted in the sample, and where it went",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    table.add_column("planted", justify="right")
    table.add_column("what")
    table.add_column("where it went")
    table.add_column("")
    for chapter in chapters:
        mark = Text("as planned", style="green") if chapter.as_planned else Text(f"found {chapter.found}", style="red")
        table.add_row(str(chapter.planted), chapter.kind, chapter.where, mark)
    console = result_console(json_file)
    show_table(console, table)
    of_planted = planted_letters(chapters)
    if letters > of_planted:
        console.print(
            f"\nThe books count {plural(letters, 'dead letter')}, {of_planted:,} of them planted:"
            " what follows from the planted ones counts as well."
        )


def _suggest(
    laid_out: LaidOut, target: str, letter: LetterLine | None, letters: int, json_file: str | None, *, good: bool
) -> None:
    from isthmus.cli.output import result_console
    from isthmus.demo.story import verdict

    console = result_console(json_file)
    console.print()
    if good:
        console.print(verdict(letters), style="bold green")
    else:
        console.print("Something is not where it belongs. Please report it.", style="bold red")
    console.print("\nLook further:", style="bold")
    for command in next_commands(laid_out, target, letter):
        console.print(f"  {command}", markup=False, soft_wrap=True)


def next_commands(laid_out: LaidOut, target: str, letter: LetterLine | None) -> list[str]:
    """Return commands that look further, as a shell takes them.

    Args:
        laid_out: The sample.
        target: Where it was copied to.
        letter: A dead letter worth a look, if there is any.
    """
    there = f"--target {quote(target)}"
    from_here = f"{quote(str(laid_out.mapping))} --source {quote(str(laid_out.dump))} {there}"
    commands = [
        f"isthmus verify {from_here}",
        f"isthmus copy {from_here}",
        f"isthmus status {there}",
        f"isthmus psql {there} -- -c 'SELECT id, name, assigned_to FROM accounts LIMIT 5'",
        f"isthmus letters list {there}",
        f"isthmus orphans list {there}",
    ]
    if letter is not None:
        commands.insert(4, f"isthmus letters show {letter.id} {there}")
    if letter is not None and letter.source_id is not None:
        commands.append(f"isthmus ids lookup {quote(letter.source_id)} {there}")
    return commands
