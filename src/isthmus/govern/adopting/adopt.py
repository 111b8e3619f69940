"""`isthmus schema adopt`: record as a baseline what another runner applied, or what a person says is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from isthmus.connect.postgres import connect, explain, trouble
from isthmus.errors import ConfigError, GovernError, Where
from isthmus.govern.adopting.foreign import Foreign, find_foreign
from isthmus.govern.adopting.matching import Match, Taken, match
from isthmus.govern.deploying.deploy import deploying
from isthmus.govern.migrations.journal import Entry as Journaled
from isthmus.govern.migrations.journal import JournalFault, read_journal
from isthmus.govern.migrations.names import JOURNAL
from isthmus.govern.migrations.script import Script, read_scripts
from isthmus.govern.settings import SchemaSettings
from isthmus.state.migrate import migrate
from isthmus.state.schema_history import Applied, read_history, told
from isthmus.state.schema_words import Adoption, keep_adoption, keep_word

_EVERYTHING = "99999999999999999999_is_earlier"
"""A baseline behind all names, so that each may have any form."""


@dataclass(frozen=True)
class Wanted:
    """What a person asks for.

    Attributes:
        history: `SCHEMA.TABLE` of the other runner's history; None looks for it.
        accepted: Names that a person said of are as they should be.
        everything: There is no history: the database has all migrations.
        up_to: There is no history: the database has all up to this one.
        why: In the person's words; None where none were given.
    """

    history: str | None = None
    accepted: tuple[str, ...] = ()
    everything: bool = False
    up_to: str | None = None
    why: str | None = None

    @property
    def on_my_word(self) -> bool:
        """Whether there is no history but a person's word."""
        return self.everything or self.up_to is not None


@dataclass(frozen=True)
class Adopted:
    """What came of it.

    Attributes:
        history: Whose history it was, for people; None where it was a person's word.
        taken: What is now baseline.
        known: Names that the history had already.
        pending: Names that the database has not.
        forgotten: Names of what was applied, has no file, and is left out because a person said so.
        baseline: What the settings should say; None where they have one.
    """

    history: str | None
    taken: tuple[Taken, ...]
    known: tuple[str, ...]
    pending: tuple[str, ...]
    forgotten: tuple[str, ...]
    baseline: str | None


def adopt(conninfo: str, folder: Path, settings: SchemaSettings, wanted: Wanted, *, dry_run: bool = False) -> Adopted:
    """Record what a database has of a folder of migrations; nothing of the folder is executed. Safe to repeat.

    Args:
        conninfo: Direct address of the database.
        folder: The migrations.
        settings: Of the schema.
        wanted: What to take over.
        dry_run: Write nothing.

    Raises:
        ConfigError: There is no history (code `no-history`), nothing in it (`empty-history`), several
            (`which-history`), or one although a person's word was to do (`has-history`); something was accepted that
            needs no word (`nothing-to-accept`), there is no migration of a name (`unknown-migration`), or the journal
            cannot be read (`bad-journal`).
        GovernError: History and files do not fit together (code `not-adoptable`); `problems` holds every finding.
        TargetError: The database cannot be written to, or an isthmus is at work in it.
    """
    scripts = read_scripts(folder, replace(settings, baseline=_EVERYTHING))
    if not scripts:
        raise ConfigError(f"There is no migration in {folder}.", code="no-migrations", hint="Name another folder.")
    journal = _journal(folder) if settings.layout == "flat" else []
    if dry_run:
        with connect(conninfo, autocommit=True) as connection:
            try:
                return _plan(connection, settings, scripts, journal, wanted)[0]
            except psycopg.Error as fault:
                raise trouble(fault, "show what it holds", explain(fault)) from fault
    with deploying(conninfo) as lease:
        adopted, foreign, found = _plan(lease.connection, settings, scripts, journal, wanted)
        migrate(lease.connection)
        with lease.connection.transaction():
            _write(lease.connection, settings.title, adopted, foreign, found, wanted)
    return adopted


def _plan(
    connection: psycopg.Connection,
    settings: SchemaSettings,
    scripts: Sequence[Script],
    journal: Sequence[Journaled],
    wanted: Wanted,
) -> tuple[Adopted, Foreign | None, Match]:
    history = read_history(connection, settings.title)
    foreign = find_foreign(connection, settings.layout, wanted.history)
    if wanted.on_my_word:
        found = _on_my_word(scripts, foreign, wanted)
        foreign = None
    elif foreign is None:
        raise ConfigError(
            "There is no history of Prisma or Drizzle in this database.",
            code="no-history",
            hint="Name its table: --history SCHEMA.TABLE. Where the migrations were applied without a runner: --all, or"
            " --up-to NAME.",
        )
    elif not foreign.entries:
        raise ConfigError(
            f"{foreign.title} is empty: nothing was applied.",
            code="empty-history",
            hint="Where the database is empty, isthmus schema deploy applies all. Else: --all, or --up-to NAME.",
        )
    else:
        found = match(scripts, foreign, wanted.accepted, journal)
        _refuse(found, foreign, wanted)
    taken = tuple(one for one in found.taken if not _is_known(one, history))
    through = {one.script.name.text for one in found.taken} | {name for name, one in history.items() if one.is_through}
    last = max((one.script.name for one in found.taken), key=lambda name: name.order, default=None)
    return (
        Adopted(
            foreign.title if foreign is not None else None,
            taken,
            tuple(one.script.name.text for one in found.taken if _is_known(one, history)),
            tuple(one.name.text for one in scripts if one.name.text not in through),
            tuple(found.forgotten),
            None if settings.baseline is not None or last is None else last.text,
        ),
        foreign,
        found,
    )


def _is_known(one: Taken, history: dict[str, Applied]) -> bool:
    there = history.get(one.script.name.text)
    return there is not None and there.is_through


def _on_my_word(scripts: Sequence[Script], foreign: Foreign | None, wanted: Wanted) -> Match:
    if foreign is not None and foreign.entries:
        raise ConfigError(
            f"This database has {foreign.title}, which says what was applied.",
            code="has-history",
            hint="Leave out --all and --up-to.",
        )
    names = [one.name.text for one in scripts]
    if wanted.up_to is not None and wanted.up_to not in names:
        raise ConfigError(
            f"There is no migration {wanted.up_to}.", code="unknown-migration", hint=f"The last one is {names[-1]}."
        )
    last = len(names) if wanted.up_to is None else names.index(wanted.up_to) + 1
    return Match([Taken(one, accepted=True) for one in scripts[:last]])


def _refuse(found: Match, foreign: Foreign, wanted: Wanted) -> None:
    if found.problems:
        raise GovernError(
            f"{foreign.title} and the files do not fit together; nothing was recorded.",
            code="not-adoptable",
            problems=tuple(found.problems),
        )
    needless = [one for one in wanted.accepted if one not in found.used]
    if needless:
        raise ConfigError(
            f"There is nothing to accept of {', '.join(needless)}.",
            code="nothing-to-accept",
            hint="Leave that out; what needs a word is named when it is left out.",
        )


def _write(
    connection: psycopg.Connection,
    title: str,
    adopted: Adopted,
    foreign: Foreign | None,
    found: Match,
    wanted: Wanted,
) -> None:
    for one in adopted.taken:
        name, steps = one.script.name.text, len(one.script.statements)
        whose = "person" if one.accepted or foreign is None else foreign.runner
        if one.accepted:
            answer = "applied" if foreign is None else "accept"
            keep_word(connection, title, name, answer, done=None, why=wanted.why)
        told(
            connection,
            title,
            name,
            one.script.checksum,
            steps,
            state="baseline",
            done=steps,
            whose=whose,
            applied_at=one.applied_at,
        )
    for name in found.forgotten:
        keep_word(connection, title, name, "forget", done=None, why=wanted.why)
    if foreign is not None:
        ids = frozenset(one.id for one in foreign.entries)
        keep_adoption(connection, title, Adoption(foreign.runner, foreign.schema, foreign.table, ids))


def _journal(folder: Path) -> list[Journaled]:
    file = folder / JOURNAL
    if not file.exists():
        return []
    try:
        return read_journal(file.read_text(encoding="utf-8"))
    except (JournalFault, UnicodeDecodeError) as fault:
        raise ConfigError(
            f"The journal cannot be read: {fault}.",
            code="bad-journal",
            where=Where(file=str(file)),
            hint="Put it back from HEAD.",
        ) from None
