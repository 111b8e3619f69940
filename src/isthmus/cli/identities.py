"""`isthmus identities`: which documents are one thing, what is open, and what was found out."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import (
    DEFAULT_WORKERS,
    DatabaseOption,
    IdKeyOption,
    IgnoreOplogOption,
    JsonOption,
    MappingArgument,
    OutputOption,
    ReadTargetOption,
    ReadWorkersOption,
    ResolutionsOption,
    RetrySecondsOption,
    SourceOption,
    TargetOption,
    read_key,
)

if TYPE_CHECKING:
    import psycopg

    from isthmus.state.identities import Mode

app = typer.Typer(help="Which documents are one thing: plan, list, show, export.", no_args_is_help=True)


@app.command("plan")
def plan(
    mapping: MappingArgument,
    source: SourceOption,
    target: TargetOption,
    resolutions: ResolutionsOption = None,
    db: DatabaseOption = None,
    ignore_oplog: IgnoreOplogOption = False,
    workers: ReadWorkersOption = DEFAULT_WORKERS,
    retry_seconds: RetrySecondsOption = 60.0,
    id_key: IdKeyOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Most conflicts to show.")] = 20,
    json_file: JsonOption = None,
) -> int:
    """Find out which documents would be one thing, and what a person must say first: a dry run.

    Nothing is carried. What it found is kept in TARGET, marked dry-run, for list, show and export; no copy ever goes by
    it. Each conflict is shown with the lines that would answer it: write one answer of each, with its reason, into
    resolutions.yaml, and plan again.

    The JSON: mode, identities (of each: things, collections, kinds of conflicts with their numbers, the first 1,000
    conflicts, notes); of a conflict id, kind, message, documents, more and answers.

    Exit codes: 0 nothing is open, 1 conflicts are open, 2 usage, mapping or answers, 3 source, 4 target, 130 stopped.
    """
    from contextlib import closing

    from isthmus.cli.bars import ProgressView
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.identity_output import plan_json, show_found
    from isthmus.cli.interrupt import saying_when_stopped, stop_on_signals, tidied_before_leaving
    from isthmus.cli.opening import open_waiting
    from isthmus.cli.output import err, result_console, write_json
    from isthmus.connect.target import open_target
    from isthmus.mapping import load_mapping
    from isthmus.mapping.resolutions import resolutions_of
    from isthmus.transfer.identities.planning import Options, plan_identities
    from isthmus.work.progress import Progress

    with writing_refusals(json_file, failed_json):
        checked = load_mapping(mapping)
        answers = resolutions_of(mapping, checked, resolutions)
        options = Options(workers, retry_seconds, None if id_key is None else read_key(id_key))
        progress = Progress()
        opening = open_waiting(source, database=db, ignore_oplog=ignore_oplog, seconds=retry_seconds, progress=progress)
        with (
            closing(opening) as opened,
            open_target(target, create=True) as address,
            tidied_before_leaving(address.close),
            stop_on_signals(err) as stop,
            saying_when_stopped(err, "Stopped; nothing was kept. The same command begins again."),
            _telling_trouble("find out who is one with whom"),
            ProgressView(progress),
        ):
            found = plan_identities(
                checked, opened, address.conninfo, answers, options=options, progress=progress, stop=stop
            )
        console = result_console(json_file)
        for one in found:
            show_found(console, one, limit)
        conflicts = sum(one.open for one in found)
        if conflicts:
            err.print(
                f"Write one answer of each into {answers.file_name}, with its reason, and plan again; a copy is refused"
                " until then.",
                markup=False,
                soft_wrap=True,
            )
        write_json(plan_json(found), json_file)
    return 1 if conflicts else 0


@app.command("list")
def list_(
    target: ReadTargetOption,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Most conflicts to show.")] = 50,
    json_file: JsonOption = None,
) -> None:
    """List the maps that TARGET keeps, live ones and those of dry runs, and what the last plans could not decide.

    The JSON: maps (identity, mode, made_at, source, counts) and conflicts (identity, id, kind, message, documents,
    more, answers).

    Exit codes: 0 listed, also when there is none, 2 usage, 4 target.
    """
    from isthmus.cli.identity_output import kept_json, map_json, show_kept
    from isthmus.cli.output import err, plural, result_console, show_rows, write_json
    from isthmus.state.identities import read_conflicts, read_maps

    with _looking(target) as connection:
        maps, conflicts = read_maps(connection), read_conflicts(connection)
    console = result_console(json_file)
    if not maps:
        console.print("No identities were found out in this target.")
    else:
        show_rows(
            console,
            ("identity", "map", "things", "conflicts", "found out at", "source"),
            [
                (
                    one.name,
                    one.mode,
                    f"{one.counts['things']:,}",
                    f"{one.counts['conflicts']:,}",
                    f"{one.made_at:%Y-%m-%d %H:%M:%S}",
                    one.source_name,
                )
                for one in maps
            ],
            numbers=("things", "conflicts"),
        )
    if conflicts:
        console.print()
        console.print(f"{plural(len(conflicts), 'conflict')} of the last plans:")
        show_kept(console, conflicts[:limit])
        if len(conflicts) > limit:
            err.print(f"{limit} of {len(conflicts):,} shown; --limit shows more, --json gives all.")
        err.print("isthmus identities show ID gives the lines that would answer one.")
    write_json({"maps": [map_json(one) for one in maps], "conflicts": [kept_json(one) for one in conflicts]}, json_file)


@app.command("show")
def show(
    id_: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Of a conflict, of a thing, or the _id of a document (as ids lookup takes it)."
        ),
    ],
    target: ReadTargetOption,
    json_file: JsonOption = None,
) -> int:
    """Show a conflict with the lines that would answer it, or a thing with its documents, in each map that has it.

    The JSON: conflicts (as list) and members (identity, mode, thing, collection, _id, own_id, place, why, reason).

    Exit codes: 0 found, 1 nothing is known of it, 2 usage, 4 target.
    """
    from isthmus.cli.identity_output import kept_json, member_json, show_conflict, show_members
    from isthmus.cli.output import result_console, write_json
    from isthmus.state import source_ids
    from isthmus.state.identities import find_members, read_conflicts

    with _looking(target) as connection:
        conflicts = read_conflicts(connection, id_) if len(id_) >= 4 else []
        members = find_members(connection, id_, source_ids.parse(id_))
    console = result_console(json_file)
    if not conflicts and not members:
        console.print("Nothing is known of it: no conflict, no thing and no document of a map has this id.")
    for one in conflicts:
        show_conflict(console, one.kind, one.id, one.message, [(a["says"], a["yaml"].split("\n")) for a in one.answers])
    if members:
        show_members(console, members)
    write_json(
        {"conflicts": [kept_json(one) for one in conflicts], "members": [member_json(one) for one in members]},
        json_file,
    )
    return 0 if conflicts or members else 1


@app.command("export")
def export(
    target: ReadTargetOption,
    identity: Annotated[
        str | None, typer.Option("--identity", metavar="NAME", help="Only this identity; else all of them.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="The maps of the last plans, not those that copies go by.")
    ] = False,
    output: OutputOption = None,
) -> int:
    """Write the maps as JSON: each thing's id with the _ids of its documents, by collection. No other value is in it.

    The JSON is a list of maps: identity, mode (live or dry-run), made_at, source, things (id, documents: collection →
    _ids), none (documents that belong to no thing: collection, _id, why, reason). Documents that are no longer in the
    source stay in a live map.

    Exit codes: 0 written, 1 there is no such map, 2 usage, 4 target.
    """
    from isthmus.cli.identity_output import write_map
    from isthmus.cli.output import err, plural
    from isthmus.cli.result_files import writing
    from isthmus.state.identities import read_maps

    mode: Mode = "dry-run" if dry_run else "live"
    things = 0
    with _looking(target) as connection:
        maps = [one for one in read_maps(connection) if one.mode == mode and identity in {None, one.name}]
        if not maps:
            named = f" of {identity}" if identity is not None else ""
            err.print(f"There is no {mode} map{named} in this target.", markup=False)
            return 1
        with writing(output) as stream:
            stream.write("[\n")
            for number, one in enumerate(maps):
                things += write_map(connection, stream, one)
                stream.write("\n" if number == len(maps) - 1 else ",\n")
            stream.write("]\n")
    err.print(f"{plural(things, 'thing')} written" + (f" to {output}." if output else "."), markup=False)
    return 0


@contextlib.contextmanager
def _telling_trouble(what: str) -> Generator[None]:
    """Turn what the server says into an error for people."""
    import psycopg

    from isthmus.connect.postgres import explain, trouble

    try:
        yield
    except psycopg.Error as fault:
        raise trouble(fault, what, explain(fault)) from fault


@contextlib.contextmanager
def _looking(target: str) -> Generator[psycopg.Connection]:
    """Connect to a target that may hold no run yet, for reading its state."""
    from isthmus.cli.target import telling_trouble
    from isthmus.connect.postgres import connect
    from isthmus.connect.target import open_target

    with (
        open_target(target) as address,
        connect(address.conninfo, autocommit=True) as connection,
        telling_trouble(address.conninfo, ["isthmus"]),
    ):
        yield connection
