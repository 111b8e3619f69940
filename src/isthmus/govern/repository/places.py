"""Where the folders of a project stand in its repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from isthmus.errors import ConfigError, Where
from isthmus.govern.repository.git import Repository
from isthmus.govern.repository.tree import from_root
from isthmus.govern.settings import Project


def place_of(repository: Repository, project: Project, folder: str) -> str:
    """Return a folder of a project's settings as a path from the repository's root; empty for the root itself.

    The folder itself is taken by its name: a link of the working tree would lead to another place than git holds.

    Raises:
        ConfigError: The project lies outside of the repository (code `bad-settings`).
    """
    home = project.folder.resolve()
    root = repository.root.resolve()
    if not home.is_relative_to(root):
        raise ConfigError(
            f"{project.folder} lies outside of the repository.",
            code="bad-settings",
            where=Where(file=str(project.file)),
            hint="A folder of the settings belongs to the repository it is checked in.",
        )
    place = (PurePosixPath(home.relative_to(root).as_posix()) / folder).as_posix()
    return "" if place == "." else place


def files_of(repository: Repository, commit: str, home: str) -> Callable[[str], list[str]]:
    """Return a function that lists what a commit holds in a folder of a project, by paths from that folder.

    Args:
        repository: Where.
        commit: Its id.
        home: The project's folder, from the repository's root; empty for the root itself.
    """

    def files(folder: str) -> list[str]:
        place = from_root(home, folder)
        return [one.path.removeprefix(f"{place}/") for one in repository.tree(commit, [place]).below(place)]

    return files
