"""`isthmus schema new`: put the next migration into its folder, and an entry into Drizzle's journal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from isthmus.errors import ConfigError, Where
from isthmus.govern.migrations.folder import read_folder
from isthmus.govern.migrations.names import JOURNAL, Name, parse_name, rollback_path, sql_path
from isthmus.govern.repository.git import Repository
from isthmus.govern.repository.places import place_of
from isthmus.govern.settings import Layout, Project, SchemaSettings
from isthmus.govern.writing.draft import Draft, draft, next_name, ticket_of, with_entry, words_of

_OUT_OF_LINE = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
"""What would end a line of a header, or not show in it."""


def write_new(
    project: Project, settings: SchemaSettings, said: str, *, purpose: str | None = None, ticket: str | None = None
) -> list[Path]:
    """Write the next migration; its name comes after all of the folder, of HEAD and of the base.

    Args:
        project: The project.
        settings: The schema.
        said: What a person calls it.
        purpose: Why it is there; None leaves that to be written.
        ticket: Where it was decided; None takes what the name of the branch says.

    Returns:
        The files that were written.

    Raises:
        ConfigError: As `next_place` and `put`.
    """
    place = next_place(project, settings, said, ticket=ticket, purpose=purpose)
    return put(project, settings, place, [draft(place.names()[0], purpose=purpose, ticket=place.ticket)])


@dataclass(frozen=True)
class Place:
    """Where the next migrations of a folder stand.

    Attributes:
        known: Names that they come after.
        layout: Of the folder.
        words: Of the first one's name.
        ticket: Where they were decided; None where nobody said.
        now: UTC, without zone.
    """

    known: tuple[Name, ...]
    layout: Layout
    words: str
    ticket: str | None
    now: datetime

    def names(self, endings: Sequence[str] = ("",)) -> list[str]:
        """Return the names of migrations in their order.

        Args:
            endings: What each has behind the words; empty for nothing.

        Raises:
            ConfigError: No name can be made (code `bad-name`).
        """
        known = list(self.known)
        found: list[str] = []
        for ending in endings:
            words = f"{self.words}_{ending}" if ending else self.words
            found.append(next_name(words, known, self.layout, self.now))
            name = parse_name(found[-1], self.layout)
            known += [name] if name is not None else []
        return found


def next_place(
    project: Project, settings: SchemaSettings, said: str, *, ticket: str | None = None, purpose: str | None = None
) -> Place:
    """Return where the next migrations go: behind all of the folder, of HEAD and of the base.

    Args:
        project: The project.
        settings: The schema.
        said: What a person calls them.
        ticket: Where they were decided; None takes what the name of the branch says.
        purpose: Why they are made; only looked at.

    Raises:
        ConfigError: No name can be made (code `bad-name`), the ticket has not the form of the settings (`bad-ticket`),
            the purpose cannot stand in a header (`bad-purpose`), or the folder is none, or behind a link
            (`bad-settings`).
    """
    folder = project.folder / settings.folder
    if folder.resolve() != project.folder.resolve() / settings.folder:
        raise ConfigError(
            f"{settings.folder} is a link, or behind one: git holds no files there.",
            code="bad-settings",
            where=Where(file=str(project.file)),
            hint="Name the folder itself in the settings.",
        )
    if folder.exists() and not folder.is_dir():
        raise ConfigError(
            f"{settings.folder} is no folder.",
            code="bad-settings",
            where=Where(file=str(project.file)),
            hint="Name the folder of migrations in the settings.",
        )
    if purpose is not None and _OUT_OF_LINE.search(purpose):
        raise ConfigError(
            f"{purpose!r} is more than a line.",
            code="bad-purpose",
            hint="Say it in one line; more can stand below the header, in comments.",
        )
    if ticket is not None and (_OUT_OF_LINE.search(ticket) or not re.fullmatch(settings.ticket, ticket)):
        raise ConfigError(
            f"{ticket!r} is no ticket.", code="bad-ticket", hint=f"Tickets have the form {settings.ticket}."
        )
    repository = _repository(project)
    if ticket is None and repository is not None:
        ticket = ticket_of(repository.branch(), settings.ticket)
    known = (*_on_disk(folder, settings), *_in_git(repository, project, settings))
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    return Place(known, settings.layout, words_of(said), ticket, now)


def put(project: Project, settings: SchemaSettings, place: Place, drafts: Sequence[Draft]) -> list[Path]:
    """Write migrations into their folder, and their entries into Drizzle's journal; return the files.

    Raises:
        ConfigError: The journal cannot be added to (code `bad-journal`), or a file cannot be written
            (`migration-not-written`); then nothing is written.
    """
    folder = project.folder / settings.folder
    journal = folder / JOURNAL
    entries = _journal(journal)
    files: dict[Path, str] = {}
    for one in drafts:
        files[folder / sql_path(one.name, settings.layout)] = one.text
        if one.rollback is not None:
            files[folder / rollback_path(one.name, settings.layout)] = one.rollback
        entries = with_entry(entries, one.name, place.now) if entries is not None else None
    begun: list[Path] = []
    try:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            begun.append(file)
            file.write_text(text, encoding="utf-8")
        if entries is None:
            return list(files)
        begun.append(journal.with_name(f"{journal.name}.partial"))
        begun[-1].write_text(entries, encoding="utf-8")
        begun[-1].replace(journal)
    except OSError as fault:
        for file in begun:
            with suppress(OSError):
                file.unlink()
                if settings.layout == "folders":
                    file.parent.rmdir()
        raise ConfigError(
            f"The migration cannot be written: {fault.strerror or fault}.",
            code="migration-not-written",
            where=Where(file=str(fault.filename or folder)),
            hint="Nothing of it is there. Let the folder be one that can be written to, then try again.",
        ) from None
    return [*files, journal]


def _journal(file: Path) -> str | None:
    if not file.exists():
        return None
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        said = fault.strerror if isinstance(fault, OSError) else "it is no UTF-8"
        raise ConfigError(
            f"The journal cannot be added to: {said}.",
            code="bad-journal",
            where=Where(file=str(file)),
            hint="Put it back from HEAD.",
        ) from None


def _repository(project: Project) -> Repository | None:
    try:
        return Repository.around(project.folder)
    except ConfigError:
        return None  # a folder that is not under git yet


def _on_disk(folder: Path, settings: SchemaSettings) -> list[Name]:
    if not folder.is_dir():
        return []
    texts = (one.name.removesuffix(".sql") if settings.layout == "flat" else one.name for one in folder.iterdir())
    return [name for text in texts if (name := parse_name(text, settings.layout)) is not None]


def _in_git(repository: Repository | None, project: Project, settings: SchemaSettings) -> list[Name]:
    if repository is None:
        return []
    place = place_of(repository, project, settings.folder)
    found: list[Name] = []
    for revision in filter(None, ("HEAD", project.settings.base)):
        commit = repository.commit(revision)
        if commit is not None:
            migrations = read_folder(repository.tree(commit, [place]), place, settings).named
            found += [one.name for one in migrations if one.name is not None]
    return found
