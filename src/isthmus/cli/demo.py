"""`isthmus demo`: the main job on a sample, with everything that went wrong shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import JsonOption

if TYPE_CHECKING:
    import psycopg

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
    from isthmus.cli.interrupt import stop_on_signals
    from isthmus.cli.output import err, result_console, write_json
    from isthmus.connect.embedded_files import reachable
    from isthmus.connect.target import open_target
    from isthmus.demo.lay_out import lay_out
    from isthmus.mapping import load_mapping
    from isthmus.sources import open_source
    from isthmus.transfer.job import Options
    from isthmus.transfer.progress import Progress
    from isthmus.transfer.run import copy_database

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
    source = open_source(str(dump))
    with open_target(target) as address, stop_on_signals(err) as stop:
        progress = Progress()
        with ProgressView(progress):
            result = copy_database(
                load_mapping(mapping),
                source,
                address.conninfo,
                mapping_text=mapping.read_text(encoding="utf-8"),
                options=Options(fresh=True),
                progress=progress,
                stop=stop,
            )
        if result.balance is None:
            show_result(console, result, target)
            return result.exit_code
        show_balance(console, result.balance)
        chapters, letter = _story(address.conninfo, sum(result.balance.skips.values()))
    _show_story(chapters, json_file)
    good = not result.balance.differences and all(chapter.as_planned for chapter in chapters)
    _suggest(laid_out, target, letter, json_file, good=good)
    write_json({**copy_json(result), "planted": [{**vars(c), "as_planned": c.as_planned} for c in chapters]}, json_file)
    return 0 if good else 1


def _story(conninfo: str, skipped: int) -> tuple[list[Chapter], LetterLine]:
    """Read the ledgers and hold the planted faults against them; also return a dead letter worth a look."""
    from isthmus.connect.postgres import connect
    from isthmus.demo.story import tell
    from isthmus.state.reports import list_letters, list_orphans, require_run
    from isthmus.state.source_ids import show

    with connect(conninfo, autocommit=True) as connection:
        run = require_run(connection)
        lines = list(list_letters(connection, run.id))
        letters = [(one.collection, one.source_id, one.code) for one in lines]
        orphans = [
            (one.collection, _hex(connection, one.row_id), one.action) for one in list_orphans(connection, run.id)
        ]
        adjusted = [
            (str(collection), show(bytes(source_id)) if source_id else None, str(kind))
            for collection, source_id, kind in connection.execute(
                "SELECT collection, source_id, kind FROM isthmus.adjustment WHERE run_id = %s", (run.id,)
            ).fetchall()
        ]
    return tell(letters, orphans, adjusted, skipped), lines[0]


def _hex(connection: psycopg.Connection, row_id: str) -> str | None:
    """Return the ObjectId behind a row's id, as 24 hex digits."""
    from isthmus._rust import IdCodec
    from isthmus.state.runs import id_key

    object_id = IdCodec(id_key(connection, create=False)).reverse(row_id)
    return object_id.hex() if object_id is not None else None


def _show_story(chapters: list[Chapter], json_file: str | None) -> None:
    from rich.table import Table
    from rich.text import Text

    from isthmus.cli.output import result_console

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
    result_console(json_file).print(table)


def _suggest(laid_out: LaidOut, target: str, letter: LetterLine, json_file: str | None, *, good: bool) -> None:
    from isthmus.cli.output import result_console

    console = result_console(json_file)
    console.print()
    if good:
        console.print("Nothing was lost: every document and every reference is accounted for.", style="bold green")
    else:
        console.print("Something is not where it belongs. Please report it.", style="bold red")
    console.print("\nLook further:", style="bold")
    for command in (
        f"isthmus copy {laid_out.mapping} --source {laid_out.dump} --target {target}",
        f"isthmus status --target {target}",
        f"isthmus letters list --target {target}",
        f"isthmus letters show {letter.id} --target {target}",
        f"isthmus orphans list --target {target}",
        f"isthmus ids lookup {letter.source_id} --target {target}",
    ):
        console.print(f"  {command}", markup=False)
