"""`isthmus check`: hold a mapping against itself, a source and a target. Writes nothing."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import DatabaseOption, IgnoreOplogOption, JsonOption, MappingArgument

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.mapping import Mapping
    from isthmus.mapping.tables import TargetSchema
    from isthmus.sources import Source
    from isthmus.state.runs import Run
    from isthmus.transfer.beginning.preflight import Finding
    from isthmus.transfer.moving.moved import Changes


def check(
    mapping: MappingArgument,
    source: Annotated[
        str | None, typer.Option("--source", "-s", metavar="SOURCE", help="Also hold it against this source.")
    ] = None,
    db: DatabaseOption = None,
    ignore_oplog: IgnoreOplogOption = False,
    target: Annotated[
        str | None, typer.Option("--target", "-t", metavar="TARGET", help="Also hold it against this target.")
    ] = None,
    json_file: JsonOption = None,
) -> int:
    """Check a mapping, and how it fits a source and a target. Writes nothing.

    Of a target that holds a run of this mapping, it tells whether that is complete and what it left behind, or how to
    go on. Of one that holds a run of another mapping or source, it tells what a copy would: it is refused.

    Exit codes: 0 no contradiction, 1 the run of this mapping is complete and its books do not balance, 2 the mapping,
    3 the source, 4 the target stands against it.
    """
    from isthmus.cli.findings import findings_json, refused_json, writing_refusals
    from isthmus.cli.output import err, plural, result_console, show_note, write_json
    from isthmus.mapping import load_mapping
    from isthmus.mapping.references import as_loaded
    from isthmus.mapping.tables import build_schema
    from isthmus.sources import open_source
    from isthmus.sources.optional import with_optional
    from isthmus.transfer.beginning.preflight import check_source
    from isthmus.transfer.beginning.same_run import refuse_other
    from isthmus.transfer.existing.preflight import is_existing

    report: dict[str, Any] = {}
    findings: list[Finding] = []
    held_run: _Held | None = None
    go_on = ""
    with writing_refusals(json_file, lambda fault: {**refused_json(fault, findings), **report}), ExitStack() as stack:
        checked = load_mapping(mapping)
        schema = build_schema(as_loaded(checked))
        opened: Source | None = None
        if source is not None:
            found = stack.enter_context(closing(open_source(source, database=db, ignore_oplog=ignore_oplog)))
            opened = with_optional(found, checked.optional_collections)
            findings += check_source(checked, opened)
            findings += _gridfs(found)
            findings += _breaks(checked, found)
        report = _summary(checked, schema, opened)
        if target is not None:
            held_run = _look(target, checked, schema, opened, findings)
            report["run"] = held_run.run.summary() if held_run is not None else None
            if held_run is not None:
                go_on = (
                    "an isthmus is at work on it now."
                    if held_run.running
                    else _command(mapping, source, db, held_run.target, ignore_oplog=ignore_oplog)
                )
        for finding in findings:
            if finding.severity is None:
                show_note(err, str(finding.problem))
        _refuse(findings)
        if held_run is not None:
            refuse_other(held_run.run, held_run.mapping, mapping.read_text(encoding="utf-8"), opened)
    counts = report["tables"]
    held = [word for word, given in (("source", source), ("target", target)) if given is not None]
    console = result_console(json_file)
    console.print(
        f"{mapping.name}: {plural(len(report['collections']), 'collection becomes', 'collections become')}"
        f" {plural(sum(counts.values()), 'table')}"
        f" ({counts['root']} root, {counts['child']} child, {counts['junction']} junction)."
        + (f" Nothing in the {' and the '.join(held)} stands against it." if held else ""),
        markup=False,
    )
    code = 0
    if held_run is not None:
        standing = _standing(console, held_run, go_on, fills=is_existing(checked))
        report["run"] = {**held_run.run.summary(), **standing}
        code = 0 if standing.get("balanced", True) else 1
    outcome = {"outcome": "failed" if code else "passed", "exit_code": code}
    write_json({**outcome, "findings": findings_json(findings), **report}, json_file)
    return code


@dataclass(frozen=True)
class _Held:
    """The run that a target holds.

    Attributes:
        run: It.
        moved: How its source moved while it was read; None where it stands still or that is not known yet.
        running: Whether an isthmus is at work on it.
        target: The target's name, without secrets.
        mapping: The mapping in hand, with what its identities came to there.
    """

    run: Run
    moved: Changes | None
    running: bool
    target: str
    mapping: Mapping


def _standing(console: Console, held: _Held, go_on: str, *, fills: bool) -> dict[str, Any]:
    """Print where the run of a target stands, and return what JSON says of that beside its summary."""
    from isthmus.cli.books import left_behind, left_behind_json, moved_words, show_unbalanced
    from isthmus.transfer.balance import balance_from_json

    balance = balance_from_json(held.run.balance) if held.run.balance is not None else None
    left = left_behind(balance) if balance is not None else ""
    console.print(
        f"Run {held.run.id} of this mapping {'fills' if fills else 'made'} these tables; it is "
        + ("complete." if held.run.stage == "complete" else f"not complete: {go_on}")
        + (
            f" It did not carry everything: {left}; isthmus status --target {quote(held.target)} tells more."
            if left
            else ""
        )
        + (f" {moved_words(held.moved)}." if held.moved else ""),
        markup=False,
        soft_wrap=True,  # there may be a command in it, to be pasted
    )
    standing: dict[str, Any] = {"moved": None if held.moved is None else held.moved.as_json()}
    if balance is not None:
        standing |= {"balanced": not balance.differences, "left_behind": left_behind_json(balance)}
        if balance.differences:
            show_unbalanced(console, balance)
    return standing


def _gridfs(source: Source) -> list[Finding]:
    """Return a remark for each GridFS bucket of a source."""
    from isthmus.errors import Problem
    from isthmus.sources.gridfs import buckets
    from isthmus.transfer.beginning.preflight import Finding

    found: list[Finding] = []
    for one in buckets(info.name for info in source.collections() if info.readable):
        message = (
            f"{one}.files and {one}.chunks are a GridFS bucket. They are carried like other collections, where the"
            " mapping names them: a row for each file, and one for each chunk with its bytes."
        )
        found.append(Finding(Problem("gridfs", message), None))
    return found


def _breaks(mapping: Mapping, source: Source) -> list[Finding]:
    """Return a finding for each collection of the mapping that an archive was seen to break off in.

    What else may be wrong inside files shows when they are read.
    """
    from isthmus.errors import Problem, SourceError
    from isthmus.sources.archive.source import ArchiveSource
    from isthmus.transfer.beginning.preflight import Finding

    if not isinstance(source, ArchiveSource):
        return []
    return [
        Finding(Problem(fault.code, fault.message, fault.where, fault.hint), SourceError)
        for fault in source.breaks(mapping.source_collections)
    ]


def _refuse(findings: list[Finding]) -> None:
    """Raise what a copy would raise, in the words of a command that writes nothing anyway.

    Raises:
        IsthmusError: There is at least one contradiction.
    """
    from isthmus.errors import IsthmusError
    from isthmus.transfer.beginning.preflight import raise_findings

    try:
        raise_findings(findings)
    except IsthmusError as fault:
        count = len(fault.problems)
        stand = "One thing stands" if count == 1 else f"{count} things stand"
        raise type(fault)(f"{stand} against a copy.", code=fault.code, problems=fault.problems) from None


def _summary(mapping: Mapping, schema: TargetSchema, source: Source | None) -> dict[str, Any]:
    """Return what becomes of what: tables by kind; each collection's bytes and documents (null: unknown) and tables.

    A junction is listed with each of the collections that feed it.
    """
    from isthmus.mapping.plan import compile_plans
    from isthmus.transfer.job import feeders

    plans = compile_plans(mapping)
    infos = {info.name: info for info in source.collections()} if source is not None else {}
    own = {
        name: [t.name for t in schema.tables.values() if any(flow.collection == name for flow in t.flows)]
        for name in plans
    }
    for feeder in feeders(plans, schema):
        if feeder.junction not in own[feeder.collection]:
            own[feeder.collection].append(feeder.junction)
    return {
        "run": None,
        "tables": {
            kind: sum(table.kind == kind for table in schema.tables.values()) for kind in ("root", "child", "junction")
        },
        "collections": {
            name: {
                "bytes": infos[name].bytes_total if name in infos else None,
                "documents": infos[name].documents if name in infos else None,
                "tables": tables,
            }
            for name, tables in own.items()
        },
    }


def _look(
    target: str, mapping: Mapping, schema: TargetSchema, source: Source | None, findings: list[Finding]
) -> _Held | None:
    """Look at a target as a copy would, adding to `findings`; return the run that it holds.

    Raises:
        TargetError: It cannot be reached or looked into.
    """
    import psycopg

    from isthmus.cli.target import put_back_abandoned
    from isthmus.connect.postgres import connect, explain, trouble
    from isthmus.connect.target import open_target
    from isthmus.state.live_things import as_carried
    from isthmus.state.migrate import state_exists
    from isthmus.state.reports import is_running
    from isthmus.state.runs import latest_run
    from isthmus.transfer.beginning.preflight import check_server, check_target
    from isthmus.transfer.beginning.space import check_space
    from isthmus.transfer.existing.preflight import check_existing, is_existing
    from isthmus.transfer.moving.moved import moved_of

    try:
        with open_target(target) as address, connect(address.conninfo, autocommit=True) as connection:
            put_back_abandoned(connection, address.conninfo)
            findings += check_server(connection)
            run = latest_run(connection) if state_exists(connection) else None
            if run is None:
                if is_existing(mapping):
                    findings += check_existing(connection, mapping, schema)
                else:
                    findings += check_target(connection, schema)
                findings += check_space(connection, mapping, source) if source is not None else []
                return None
            carried = as_carried(connection, mapping)
            return _Held(run, moved_of(connection, run.id), is_running(connection), address.display, carried)
    except psycopg.Error as fault:
        raise trouble(fault, "show itself", explain(fault)) from fault


def _command(mapping: object, source: str | None, db: str | None, target: str, *, ignore_oplog: bool) -> str:
    """Return the command that goes on with a run, without secrets."""
    from isthmus.connect.secrets import hide

    shown = quote(hide(source)) if source is not None else "SOURCE"
    database = f" --db {quote(db)}" if db is not None else ""
    database += " --ignore-oplog" if ignore_oplog else ""
    return f"isthmus copy {quote(str(mapping))} --source {shown}{database} --target {quote(target)} goes on with it."
