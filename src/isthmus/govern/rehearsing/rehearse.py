"""`isthmus schema rehearse`: apply every migration to a scratch database, and try each rollback on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from isthmus.connect.postgres import explain
from isthmus.errors import ConfigError, TargetError, Where
from isthmus.govern.catalog.model import Catalog, Key
from isthmus.govern.catalog.read import read_catalog
from isthmus.govern.excuses import REHEARSAL, excused
from isthmus.govern.migrations.names import SEED_FILE, is_earlier
from isthmus.govern.migrations.script import Script, read_scripts
from isthmus.govern.rehearsing.apply import Refused, rollback_file
from isthmus.govern.rehearsing.lines import MISSING, Lines
from isthmus.govern.rehearsing.made import Made, Maker
from isthmus.govern.rehearsing.outcome import Outcome, Stand
from isthmus.govern.rehearsing.seeding.seed_file import SeedFile, read_seed_file
from isthmus.govern.rehearsing.trial import Trial
from isthmus.govern.schema_json import checksum_of, render
from isthmus.govern.scratch import Scratch
from isthmus.govern.settings import Project, SchemaSettings


@dataclass(frozen=True)
class Part:
    """One folder of migrations, to be rehearsed.

    Attributes:
        settings: Its settings.
        folder: Where it is.
        scripts: All its migrations, in order.
    """

    settings: SchemaSettings
    folder: Path
    scripts: tuple[Script, ...]


@dataclass(frozen=True)
class Rehearsed:
    """What a rehearsal came to, besides what each migration did.

    Attributes:
        schema_json: What the settings call a folder → the text of its `schema.json`.
        empty: Table → why it could be given no row.
        roles: Roles that were made on the scratch server.
        unused: File, line and server's words of the user's rows that were never taken.
    """

    schema_json: Mapping[str, str] = field(default_factory=dict[str, str])
    empty: Mapping[Key, str] = field(default_factory=dict[Key, str])
    roles: tuple[str, ...] = ()
    unused: tuple[tuple[str, int, str], ...] = ()


def parts_of(project: Project, names: Sequence[str]) -> list[Part]:
    """Read the folders that are to be rehearsed, in the order of the settings.

    Raises:
        ConfigError: As `Settings.chosen` and `read_scripts`; or the settings excuse a migration that there is none of
            (code `unknown-migration`).
    """
    chosen = project.settings.chosen(names, project.file)
    found: list[Part] = []
    for settings in (one for one in project.settings.schemas if one in chosen):
        folder = project.folder / settings.folder
        part = Part(settings, folder, tuple(read_scripts(folder, settings)))
        known = {one.name.text for one in part.scripts}
        for name in excused(settings, REHEARSAL):
            if name not in known:
                raise ConfigError(
                    f"There is no migration {name} in {settings.folder} to excuse.",
                    code="unknown-migration",
                    where=Where(file=str(project.file), path="schema.off"),
                    hint="Name it as its folder or file is named, without .sql.",
                )
        found.append(part)
    return found


def seeds_of(parts: Sequence[Part], given: Path | None) -> list[SeedFile]:
    """Read the rows that the user gives: the file that is named, else those that lie in the folders.

    Raises:
        ConfigError: As `read_seed_file`.
    """
    files = [given] if given is not None else [one.folder / SEED_FILE for one in parts]
    return [read_seed_file(file) for file in files if given is not None or file.is_file()]


def rehearse(
    parts: Sequence[Part],
    scratch: Scratch,
    *,
    seeds: Sequence[SeedFile] = (),
    last: int | None = None,
    without: Sequence[str] = (),
    begin: Callable[[str], None] = lambda _: None,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> Rehearsed:
    """Apply all migrations of all folders to one database, and try the rollbacks on the way.

    Args:
        parts: The folders.
        scratch: Where databases may be made.
        seeds: Rows of the user's.
        last: Try this many of each folder alone, the newest; None for all behind the baseline.
        without: What the settings call the folders that were left out.
        begin: Called with the name of each migration before it is tried.
        tell: Called with what became of each.

    Raises:
        TargetError: The server refused a migration (code `migration-failed`), lacks what it needs (`scratch-lacks`), or
            what it left cannot be read (`scratch-unreadable`).
    """
    made = Made()
    with Lines(scratch, [script for part in parts for script in part.scripts]) as lines:
        trial = Trial(lines, list(seeds), read_catalog(lines.reader, but=()))
        made.follow(trial.catalog, Maker("", ""))
        number = 0
        for part in parts:
            for script in part.scripts:
                begin(script.name.text)
                outcome = _begun(part, script, last)
                began = time.monotonic()
                _try(trial, number, script, outcome, without)
                outcome.seconds = time.monotonic() - began
                outcome.judge(excused(part.settings, REHEARSAL))
                made.follow(trial.catalog, Maker(part.settings.title, script.name.text))
                tell(outcome)
                number += 1
        texts = {part.settings.title: _schema_json(part, made, trial.catalog) for part in parts}
        unused = [(one.file, line, words) for one in seeds for line, words in one.never]
        return Rehearsed(texts, trial.empty, tuple(lines.roles), tuple(unused))


def _try(trial: Trial, number: int, script: Script, outcome: Outcome, without: Sequence[str]) -> None:
    try:
        if outcome.stand in {"older", "passed over"}:
            trial.advance(number, script)
        else:
            trial.carry(number, script, outcome, roll_back=outcome.stand == "restores")
    except Refused as refused:
        if without and isinstance(refused.fault, MISSING):
            refused.hint = (
                f"{', '.join(without)} was left out. Name it, too, where its migrations make what is missing."
            )
        raise
    except psycopg.Error as fault:
        raise TargetError(
            f"The scratch database cannot be read around {script.name.text}: {explain(fault)}.",
            code="scratch-unreadable",
            where=Where(file=script.file),
            hint="See whether it, or one before it, ends other sessions, or makes rows that cannot be read. Rows of"
            " seed.sql may be too large, too.",
        ) from None


def _schema_json(part: Part, made: Made, catalog: Catalog) -> str:
    checksums = {one.name.text: _checksum(one) for one in part.scripts}
    return render(made.schema_json(part.settings.title, checksums, catalog))


def _checksum(script: Script) -> str:
    own = rollback_file(script)
    return checksum_of(script.sql, own.read_text(encoding="utf-8") if own.is_file() else None)


def _begun(part: Part, script: Script, last: int | None) -> Outcome:
    reversible = script.header.value("Reversible")
    stand: Stand
    if is_earlier(script.name, part.settings):
        stand = "older"
    elif last is not None and script not in part.scripts[max(0, len(part.scripts) - last) :]:
        stand = "passed over"
    elif reversible not in {"Yes", "Partial"}:
        stand = "not reversible"
    else:
        stand = "restores"
    return Outcome(part.settings.title, script.name.text, script.file, reversible, stand)
