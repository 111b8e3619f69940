"""Read what git holds of models and of the log: the index, HEAD, the base, a merge that is going on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from isthmus.govern.changes.globs import Globs, glob_fault
from isthmus.govern.findings import Finding
from isthmus.govern.given_up import log_given_up
from isthmus.govern.repository.git import Repository
from isthmus.govern.repository.places import files_of, place_of
from isthmus.govern.repository.revisions import Revisions
from isthmus.govern.repository.tree import Tree
from isthmus.govern.settings import ChangesSettings, Project, SchemaSettings
from isthmus.govern.settings_before import Before, changes_before, models_in, settings_paths


@dataclass(frozen=True)
class Held:
    """What git holds.

    Attributes:
        home: The project's folder, from the repository's root; empty for the root itself.
        settings_file: Where the settings stand, from the repository's root.
        folder: That of the log, from the repository's root.
        migrations: Settings of each folder of migrations, and its path from the repository's root.
        globs: Which files are models, by the settings of now or by those that were.
        own: Folders of models and of the log.
        now: The index.
        trees: Commit → what it holds.
        merging: Name and id of commits that a merge brings in.
        untracked: Files of the same folders that git neither holds nor ignores.
        unstaged: Files of the same folders that the working tree has otherwise than the index, or not at all.
        texts: Object → content, of settings.
        before: What the settings of the commit that is compared with say; None where they name no models.
        given_up: The folder of a log that these settings name no more.
    """

    home: str
    settings_file: str
    folder: str
    migrations: Sequence[tuple[SchemaSettings, str]]
    globs: Globs
    own: Sequence[str]
    now: Tree
    trees: Mapping[str, Tree]
    merging: Sequence[tuple[str, str]]
    untracked: Sequence[str]
    unstaged: Sequence[str]
    texts: Mapping[str, bytes]
    before: Before | None
    given_up: Sequence[Finding]


def hold(
    repository: Repository, project: Project, settings: ChangesSettings, revisions: Revisions, *, staged: bool
) -> Held:
    """Read the index and commits, of models as the settings of now have them and those that were.

    Args:
        repository: Where.
        project: The project.
        settings: Its settings of the log.
        revisions: What the index is compared with.
        staged: Whether that is HEAD alone, and not where the branch parted from its base.
    """
    home, folder = place_of(repository, project, "."), place_of(repository, project, settings.folder)
    file = place_of(repository, project, project.file.name)
    migrations = [(one, place_of(repository, project, one.folder)) for one in project.settings.schemas]
    merging = repository.merging()
    commits = list(dict.fromkeys(oid for _, oid in (*revisions.known, *merging)))
    globs = Globs(settings.models, home, folder)
    own = [folder, *globs.folders]
    read = _read(repository, commits, own, home, [path for _, path in migrations])
    texts = repository.read(
        blob for tree in read.trees.values() for path in settings_paths(home) if (blob := tree.blobs.get(path))
    )
    before = _before(revisions.compared(staged=staged), read.trees, home, texts)
    older = models_in(before.table) if before is not None else ()
    if older and tuple(older) != settings.models and not any(glob_fault(one) for one in older):
        globs = Globs(settings.models, home, folder, also=Globs(older, home, folder))
        if own != [folder, *globs.folders]:
            own = [folder, *globs.folders]
            read = _read(repository, commits, own, home, [path for _, path in migrations])
    known = [(oid, Tree(name, read.trees[oid].blobs)) for name, oid in revisions.known]
    gone = {
        one.message: one
        for oid, tree in known
        for one in log_given_up(settings, file, tree, home, texts, files_of(repository, oid, home))
    }
    return Held(
        home,
        file,
        folder,
        migrations,
        globs,
        own,
        read.now,
        read.trees,
        merging,
        read.untracked,
        read.unstaged,
        texts,
        before,
        list(gone.values()),
    )


def _before(
    compared: tuple[str, str] | None, trees: Mapping[str, Tree], home: str, texts: Mapping[str, bytes]
) -> Before | None:
    if compared is None:
        return None
    name, oid = compared
    table = changes_before(trees[oid], home, texts)
    return Before(name, table) if table else None


@dataclass(frozen=True)
class _Read:
    now: Tree
    trees: Mapping[str, Tree]
    untracked: Sequence[str]
    unstaged: Sequence[str]


def _read(
    repository: Repository, commits: Sequence[str], own: Sequence[str], home: str, beside: Sequence[str]
) -> _Read:
    also = settings_paths(home)
    with ThreadPoolExecutor() as pool:  # each waits for a process of git
        now = pool.submit(repository.index, [*own, *beside])
        trees = {oid: pool.submit(repository.tree, oid, [*own, *also]) for oid in commits}
        untracked = pool.submit(repository.untracked, own)
        unstaged = pool.submit(repository.unstaged, own)
        held = {oid: one.result() for oid, one in trees.items()}
        return _Read(now.result(), held, untracked.result(), unstaged.result())
