"""`isthmus schema new`: put the next migration into its folder, and an entry into Drizzle's journal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from isthmus.errors import ConfigError
from isthmus.govern.migrations.folder import read_folder
from isthmus.govern.migrations.names import JOURNAL, Name, parse_name, sql_path
from isthmus.govern.repository.git import Repository
from isthmus.govern.settings import Project, SchemaSettings
from isthmus.govern.writing.draft import draft, next_name, ticket_of, with_entry, words_of


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
    folder = project.folder / settings.folder
    repository = _repository(project)
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    name = next_name(
        words_of(said), [*_on_disk(folder, settings), *_in_git(repository, project, settings)], settings.layout, now
    )
    if ticket is None and repository is not None:
        ticket = ticket_of(repository.branch(), settings.ticket)
    file = folder / sql_path(name, settings.layout)
    journal = folder / JOURNAL
    entry = with_entry(journal.read_text(encoding="utf-8"), name, now) if journal.exists() else None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(draft(name, purpose=purpose, ticket=ticket).text, encoding="utf-8")
    if entry is None:
        return [file]
    journal.write_text(entry, encoding="utf-8")
    return [file, journal]


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
