"""`isthmus schema resolve`: settle what no deployer can know."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.schema.options import SchemaOption, TargetOption, only_schema

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.govern.deploying.resolve import Answer
    from isthmus.govern.deploying.situation import Situation


def resolve(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The migration.")],
    target: TargetOption,
    schema: SchemaOption = None,
    applied: Annotated[bool, typer.Option("--applied", help="Say: the database has all of it.")] = False,
    step: Annotated[
        int | None,
        typer.Option(
            "--step", min=0, metavar="N", help="Say: it has statements 1 to N; the next deploy goes on behind them."
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Say: nothing of it is there; the next deploy begins anew.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Say: its file is gone for good, and the history may forget it.")
    ] = False,
    why: Annotated[str | None, typer.Option("--why", metavar="TEXT", help="Kept with what you say.")] = None,
    json_file: JsonOption = None,
) -> int:
    """Show how far a migration is, or take down what you found: a half-run one, one that was applied or rolled back by
    hand, one that was accepted and is not there, one whose file is gone.

    Without an answer nothing is written. What you say is kept as your word, with the history as it was; no table of
    yours is touched. Refused while a deployer is at work.

    Exit codes: 0 it is settled, or there is nothing to settle, 1 it is shown and wants an answer, 2 the settings, files
    or the answer cannot be used, 4 the database cannot be read or written, or a deployer is at work.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.output import result_console, write_json
    from isthmus.cli.schema.hinting import target_given
    from isthmus.cli.schema.reading import reading
    from isthmus.connect.target import open_target
    from isthmus.govern.deploying.resolve import settle
    from isthmus.govern.deploying.situation import find_situation
    from isthmus.govern.migrations.script import read_scripts
    from isthmus.govern.settings import find_project
    from isthmus.state.deployer_at_work import is_at_work

    answer = _answer(applied=applied, step=step, again=again, forget=forget, why=why)
    project = find_project(Path.cwd())
    settings = only_schema(project, schema)
    scripts = read_scripts(project.folder / settings.folder, settings)
    console = result_console(json_file)
    with writing_refusals(json_file, failed_json), open_target(target) as address:
        if answer is not None:
            after = settle(address.conninfo, settings.title, scripts, name, answer)
            said = {"again": "pending", "forget": "forgotten"}.get(answer.kind, after.stand)
            stand = "settled" if after.stand == "settled" else said
            console.print(f"{name}: {stand}, on your word.", markup=False, soft_wrap=True)
            write_json({"outcome": "settled", "exit_code": 0, "name": name, "state": stand}, json_file)
            return 0
        given = ["--schema", schema] if schema is not None else []
        given += target_given(context, target)
        with reading(address.conninfo) as connection:
            found = find_situation(connection, settings.title, scripts, name, at_work=is_at_work(connection))
    wants = found.standing.stand not in {"applied", "baseline", "pending", "settled", "running"}
    _show(console, found, given)
    write_json({**found.as_json(), "outcome": "open" if wants else "passed", "exit_code": int(wants)}, json_file)
    return int(wants)


def _answer(*, applied: bool, step: int | None, again: bool, forget: bool, why: str | None) -> Answer | None:
    from isthmus.errors import ConfigError
    from isthmus.govern.deploying.resolve import Answer

    given = [
        one
        for one, is_given in (
            (Answer("applied", None, why), applied),
            (Answer("step", step, why), step is not None),
            (Answer("again", None, why), again),
            (Answer("forget", None, why), forget),
        )
        if is_given
    ]
    if len(given) > 1:
        raise ConfigError("These answers say different things.", code="usage", hint="Give one of them.")
    return given[0] if given else None


def _show(console: Console, found: Situation, given: Sequence[str]) -> None:
    from isthmus.cli.output import show_hint, show_paragraph

    one, there = found.standing, found.standing.applied
    console.print(f"{one.name}: {one.stand}", markup=False, style="bold", soft_wrap=True)
    for sentence in found.sentences():
        show_paragraph(console, "  ", sentence)
    if there is not None and there.fault:
        show_hint(console, f"The server said: {there.fault}", indent=2)
    if found.in_hand is not None and one.script is not None:
        console.print(f"  {one.script.file}:{found.in_hand.line}", markup=False, soft_wrap=True)
        for line in found.in_hand.text.splitlines():
            console.print(f"    {line}", markup=False, soft_wrap=True)
    for index, table in found.invalid_indexes:
        show_paragraph(
            console, "  • ", f"The index {index} on {table} is there and invalid: it was not built to its end."
        )
        show_hint(console, f"To build it anew, remove it first: DROP INDEX CONCURRENTLY {index};", indent=4)
    if not found.possible:
        return
    show_paragraph(console, "  ", "Say what you found:")
    for meaning, word in found.answers():
        show_paragraph(console, "  • ", f"{meaning}:")
        command = f"isthmus schema resolve {shlex.join([one.name, *given])} {word}"
        console.print(f"      {command}", markup=False, soft_wrap=True)
