"""The settings by which what is staged is judged: those that are staged too, not what the working tree says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from isthmus.errors import ConfigError, Where
from isthmus.govern.repository.git import Repository
from isthmus.govern.repository.tree import LINK, MODULE, Blob
from isthmus.govern.settings import FILES, OWN_FILE, Project, Section, find_project, read_project


def find_staged_project(place: Path, *, section: Section = "schema") -> tuple[Project, list[str]]:
    """Read the settings of the project around a folder as git's index has them: the nearest upwards that says any.

    Those of the working tree count only while git holds none.

    Args:
        place: The folder.
        section: As of `find_project`.

    Returns:
        The project, and sentences on what the working tree says otherwise.

    Raises:
        ConfigError: There are none, or HEAD has some and what is staged has not (code `no-settings`), they say
            something wrong or are a link (`bad-settings`).
    """
    working = _working(place, section)
    known = working if isinstance(working, Project) else None
    try:
        repository = Repository.around(known.folder if known is not None else place)
    except ConfigError:
        if isinstance(working, ConfigError):
            raise working from None
        return working, []  # who asks git says that there is none
    files = dict(_files(repository.root.resolve(), place.resolve()))
    staged = _read(repository, files, repository.index(list(files)).blobs) if files else None
    _refuse_gone(repository, _nearer(files, staged))
    if staged is not None:
        return staged, list(_told(staged, known))
    if isinstance(working, ConfigError):
        raise working
    return working, [f"{working.file.name} is not in git, so only this working tree says what it says: git add it."]


def _working(place: Path, section: Section) -> Project | ConfigError:
    try:
        return find_project(place, section=section)
    except ConfigError as fault:
        return fault


def _files(root: Path, place: Path) -> Iterator[tuple[str, Path]]:
    """Yield path → file of where settings may stand, the nearest first."""
    for folder in (place, *place.parents):
        if folder.is_relative_to(root):
            for name in FILES:
                yield (folder / name).relative_to(root).as_posix(), folder / name


def _read(repository: Repository, files: Mapping[str, Path], held: Mapping[str, Blob]) -> Project | None:
    """Return the nearest settings that a tree holds; None where it has none."""
    texts = repository.read(held[path] for path in files if path in held)
    for path, file in files.items():
        blob = held.get(path)
        if blob is None or blob.mode == MODULE:
            continue
        if blob.mode != LINK:
            found = read_project(file, texts[blob.oid])
            if found is not None:
                return found
        elif file.name == OWN_FILE:
            raise ConfigError(
                "It is a link, and git holds where that points, not what is there.",
                code="bad-settings",
                where=Where(file=str(file)),
                hint="Make it a plain file.",
            )
    return None


def _told(staged: Project, working: Project | None) -> Iterator[str]:
    if working is None:
        yield f"{staged.file} cannot be read in the working tree; it was judged by what git holds of it."
    elif working.file.resolve() != staged.file:
        yield f"{working.file} is not in git; it was judged by {staged.file}. git add what is meant."
    elif working.settings != staged.settings:
        yield (
            f"{staged.file.name} of the working tree says something else than what is staged, by which it was judged: "
            "git add it if that is meant."
        )


def _nearer(files: Mapping[str, Path], staged: Project | None) -> dict[str, Path]:
    """Return where settings may stand in folders below that of those which were found; everywhere without any."""
    own = staged.folder if staged is not None else None
    return {path: file for path, file in files.items() if own is None or own in file.parent.parents}


def _refuse_gone(repository: Repository, files: Mapping[str, Path]) -> None:
    head = repository.commit("HEAD") if files else None
    if head is None:
        return
    try:
        before = _read(repository, files, repository.tree(head, list(files)).blobs)
    except ConfigError:
        return  # what was no settings governed nothing
    if before is not None:
        raise ConfigError(
            f"HEAD has settings in {before.file.name}, and what is staged has them no more: nothing would be governed.",
            code="no-settings",
            where=Where(file=str(before.file)),
            hint="git add them. To give Isthmus up: isthmus hooks install --remove, then commit.",
        )
