"""`isthmus schema new`: put the next migration into its folder, and an entry into Drizzle's journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from isthmus.errors import ConfigError
from isthmus.govern.migrations.folder import read_folder
from isthmus.govern.migrations.names import JOURNAL, Name, parse_name, rollback_path, sql_path
from isthmus.govern.repository.git import Repository
from isthmus.govern.settings import Layout, Project, SchemaSettings
from isthmus.govern.writing.draft import Draft, draft, next_name, ticket_of, with_entry, words_of


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
        ConfigError: No name can be made (`bad-name`), or the journal cannot be added to (`bad-journal`).
    """
    place = next_place(project, settings, said, ticket=ticket)
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


def next_place(project: Project, settings: SchemaSettings, said: str, *, ticket: str | None = None) -> Place:
    """Return where the next migrations go: behind all of the folder, of HEAD and of the base.

    Raises:
        ConfigError: No name can be made (code `bad-name`).
    """
    folder = project.folder / settings.folder
    repository = _repository(project)
    if ticket is None and repository is not None:
        ticket = ticket_of(repository.branch(), settings.ticket)
    known = (*_on_disk(folder, settings), *_in_git(repository, project, settings))
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    return Place(known, settings.layout, words_of(said), ticket, now)


def put(project: Project, settings: SchemaSettings, place: Place, drafts: Sequence[Draft]) -> list[Path]:
    """Write migrations into their folder, and their entries into Drizzle's journal; return the files.

    Raises:
        ConfigError: The journal cannot be added to (code `bad-journal`); then nothing is written.
    """
    folder = project.folder / settings.folder
    journal = folder / JOURNAL
    entries = journal.read_text(encoding="utf-8") if journal.exists() else None
    files: dict[Path, str] = {}
    for one in drafts:
        files[folder / sql_path(one.name, settings.layout)] = one.text
        if one.rollback is not None:
            files[folder / rollback_path(one.name, settings.layout)] = one.rollback
        entries = with_entry(entries, one.name, place.now) if entries is not None else None
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    if entries is None:
        return list(files)
    journal.write_text(entries, encoding="utf-8")
    return [*files, journal]


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
    place = (project.folder / settings.folder).resolve().relative_to(repository.root.resolve()).as_posix()
    found: list[Name] = []
    for revision in filter(None, ("HEAD", project.settings.base)):
        commit = repository.commit(revision)
        if commit is not None:
            migrations = read_folder(repository.tree(commit, [place]), place, settings).named
            found += [one.name for one in migrations if one.name is not None]
    return found
