"""`isthmus changes new` and `log`: entries, CHANGELOG.md and README.md, in the working tree."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Generator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from isthmus.errors import ConfigError, Where
from isthmus.govern.changes.check import changes_of
from isthmus.govern.changes.choosing import choose_model
from isthmus.govern.changes.draft import README as README_TEXT
from isthmus.govern.changes.draft import draft_entry
from isthmus.govern.changes.entry import Entry, ModelFile, read_entry
from isthmus.govern.changes.holding import hold
from isthmus.govern.changes.log import Noted, render_log
from isthmus.govern.changes.names import FOLDER, LOG, README, entry_name, real_day
from isthmus.govern.repository.git import Repository
from isthmus.govern.repository.revisions import find_revisions
from isthmus.govern.repository.tree import from_root
from isthmus.govern.settings import ChangesSettings, Project
from isthmus.govern.writing.draft import ticket_of, words_of


def write_entry(
    project: Project, said: str, description: str, *, ticket: str | None = None, day: str | None = None
) -> list[Path]:
    """Write an entry for a change of a model, and CHANGELOG.md with it; the README where there is none.

    Args:
        project: The project.
        said: Path of the model from where the command runs or from the project's folder, or a part that only one has:
            one that there is, or that was deleted or renamed since HEAD.
        description: What changed, in a few words.
        ticket: Where it was decided; None takes what the name of the branch says.
        day: `YYYY-MM-DD`; None is today, UTC.

    Returns:
        The files that were written, the entry first.

    Raises:
        ConfigError: No models in the settings (`no-changes`), no repository (`no-repository`), no such model
            (`no-model`) or several (`several-models`), no such day (`bad-date`), no ticket of that form (`bad-ticket`),
            no name can be made (`bad-name`), there is such an entry (`entry-exists`), or it cannot be
            written (`log-not-written`).
    """
    settings = changes_of(project)
    repository = Repository.around(project.folder)
    model = _model(repository, project, settings, said)
    folder = project.folder / settings.folder
    written = _day(day)
    file = folder / FOLDER / entry_name(written, model.path, words_of(description))
    if file.exists():
        raise ConfigError(
            f"{file.name} is there already.",
            code="entry-exists",
            hint="Describe the change in other words, or edit that entry where it is not committed yet.",
        )
    if ticket is None:
        ticket = ticket_of(repository.branch(), settings.ticket)
    elif not re.fullmatch(settings.ticket, ticket):
        raise ConfigError(
            f"{ticket} is no ticket.", code="bad-ticket", hint=f"Tickets have the form {settings.ticket}."
        )
    text = draft_entry(model, description, written, ticket=ticket, dependencies=bool(project.settings.schemas))
    with _writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return [file, *write_log(project)]


def write_log(project: Project) -> list[Path]:
    """Write CHANGELOG.md from the entries in the working tree, and the README where there is none; return both where
    they were written.

    Raises:
        ConfigError: No models in the settings (`no-changes`), or a file of the log cannot be written
            (`log-not-written`).
    """
    folder = project.folder / changes_of(project).folder
    entries = [Noted(one.name, _entry(one)) for one in sorted((folder / FOLDER).glob("*.md")) if one.is_file()]
    wanted = {folder / LOG: render_log(entries)}
    if not (folder / README).exists():
        wanted[folder / README] = README_TEXT
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in wanted.items():
            file.write_text(text, encoding="utf-8")
    return list(wanted)


def _entry(file: Path) -> Entry | None:
    try:
        return read_entry(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return None


@contextlib.contextmanager
def _writing(place: Path) -> Generator[None]:
    try:
        yield
    except OSError as fault:
        raise ConfigError(
            f"The log of changes cannot be written: {fault.strerror or fault}.",
            code="log-not-written",
            where=Where(file=str(fault.filename or place)),
            hint="Let the folder of [changes] be one that can be written to.",
        ) from None


def _model(repository: Repository, project: Project, settings: ChangesSettings, said: str) -> ModelFile:
    revisions = find_revisions(repository, project.settings.base, given=False)
    held = hold(repository, project, settings, revisions, staged=True)
    globs, start = held.globs, from_root(held.home, "")
    known = {*held.now.blobs, *held.untracked}
    known.update(held.trees[revisions.head[1]].blobs if revisions.head is not None else ())
    models = sorted(path.removeprefix(start) for path in known if globs.match(path))
    given = Path(os.path.normpath(Path.cwd() / said))
    inside = given.relative_to(project.folder).as_posix() if given.is_relative_to(project.folder) else said
    chosen = choose_model(inside if inside in models else said, models)
    renamed = repository.renamed(globs.folders) if revisions.head is not None else {}
    pairs = {new.removeprefix(start): old.removeprefix(start) for new, old in renamed.items() if globs.match(old)}
    new = next((one for one, old in pairs.items() if old == chosen), chosen)
    return ModelFile(new, pairs.get(new)) if new in models else ModelFile(chosen)


def _day(text: str | None) -> date:
    today = datetime.now(UTC).date()
    found = today if text is None else real_day(text)
    if found is None or found > today + timedelta(days=1):
        what = "is no day" if found is None else "lies in the future"
        raise ConfigError(f"{text} {what}.", code="bad-date", hint="Write it as YYYY-MM-DD, UTC.")
    return found
