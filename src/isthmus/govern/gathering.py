"""Read what git holds of the folders of migrations: the index, HEAD, the base, a merge that is going on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from isthmus.errors import ConfigError, Where
from isthmus.govern.checking import Checking, Scope, Side, names_in
from isthmus.govern.findings import Finding
from isthmus.govern.given_up import given_up
from isthmus.govern.migrations.dependencies import is_inside, script_path
from isthmus.govern.migrations.folder import Folder, Migration, read_folder
from isthmus.govern.migrations.names import SCHEMA_FILE
from isthmus.govern.repository.git import Repository
from isthmus.govern.repository.places import files_of, place_of
from isthmus.govern.repository.revisions import Revisions, find_revisions
from isthmus.govern.repository.tree import LINK, MODULE, Blob, Tree, from_root
from isthmus.govern.settings import Project, SchemaSettings
from isthmus.govern.settings_before import Before, folder_of, schemas_before, settings_paths


@dataclass(frozen=True)
class Gathered:
    """What rules look at.

    Attributes:
        repository: Where it was read.
        revisions: What the index is compared with.
        checkings: By the names of schemas.
        untracked: Files of the folders that git neither holds nor ignores.
        unstaged: Files of the folders that the working tree has otherwise than the index, or not at all.
        given_up: Folders that settings of before name, and those of now do not.
        before: By the names of schemas, what a commit's settings said of the same folder.
    """

    repository: Repository
    revisions: Revisions
    checkings: Mapping[str, Checking]
    untracked: Sequence[str]
    unstaged: Sequence[str] = ()
    given_up: Sequence[Finding] = ()
    before: Mapping[str, Before] = field(default_factory=dict[str, Before])


def gather(
    project: Project,
    schemas: Sequence[SchemaSettings],
    *,
    scope: Scope = "all",
    base: str | None = None,
    applied: Mapping[str, Mapping[str, str]] | None = None,
) -> Gathered:
    """Read what git holds of some schemas, and the texts that rules read; the working tree is not looked at.

    Args:
        project: The project.
        schemas: Of its settings.
        scope: As in `Checking`.
        base: A revision that is asked for; None takes that of the settings, where it is there.
        applied: Schema → name → checksum of what a database has; None where none was asked.

    Raises:
        ConfigError: As `isthmus.govern.check.check_schemas`.
    """
    repository = Repository.around(project.folder)
    places = {settings.title: place_of(repository, project, settings.folder) for settings in schemas}
    revisions = find_revisions(repository, base if base is not None else project.settings.base, given=base is not None)
    merging = repository.merging()
    folders = sorted(places.values())
    home = place_of(repository, project, ".")
    names = {oid: name for name, oid in reversed((*revisions.known, *merging))}
    also = settings_paths(home)
    tables = {
        one.title: f"{place_of(repository, project, one.folder)}/{SCHEMA_FILE}" for one in project.settings.schemas
    }
    with ThreadPoolExecutor() as pool:  # each waits for a process of git
        untracked = pool.submit(repository.untracked, folders)
        unstaged = pool.submit(repository.unstaged, folders)
        held = pool.submit(repository.index, [*folders, *tables.values()])
        read = {oid: pool.submit(repository.tree, oid, [*folders, *also], name=name) for oid, name in names.items()}
        index, trees = held.result(), {oid: one.result() for oid, one in read.items()}
    found: dict[str, Checking] = {}
    for settings in schemas:
        sides = _Sides(trees, places[settings.title], settings)
        checking = Checking(
            now=read_folder(index, places[settings.title], settings),
            head=sides.of(revisions.head),
            parted=sides.of(revisions.parted),
            tip=sides.of(revisions.tip),
            merging=tuple(side for one in merging if (side := sides.of(one)) is not None),
            scope=scope,
            tree=index,
            others={title: index.blobs.get(file) for title, file in tables.items() if title != settings.title},
            applied=None if applied is None else applied.get(settings.title, {}),
            today=datetime.now(UTC).replace(tzinfo=None),
        )
        _refuse_baseline(project, settings, checking)
        found[settings.title] = checking
    before = {oid: trees[oid] for _, oid in revisions.known}
    settings_of = [blob for tree in before.values() for path in also if (blob := tree.blobs.get(path)) is not None]
    texts = repository.read([*settings_of, *(blob for one in found.values() for blob in _to_read(one))])
    found = {title: replace(one, texts=texts) for title, one in found.items()}
    file = place_of(repository, project, project.file.name)
    gone = {
        one.message: one
        for oid, tree in before.items()
        for one in given_up(project.settings, file, tree, home, texts, files_of(repository, oid, home))
    }
    compared = revisions.compared(staged=scope == "staged")
    said = schemas_before(trees[compared[1]], home, texts) if compared is not None else []
    return Gathered(
        repository,
        revisions,
        _with_scripts(repository, home, found),
        untracked.result(),
        unstaged.result(),
        tuple(gone.values()),
        {
            one.title: Before(compared[0], table)
            for one in schemas
            for table in said
            if compared is not None and folder_of(table) == one.folder
        },
    )


@dataclass(frozen=True)
class _Sides:
    """A folder in commits, of which several may be the same."""

    trees: Mapping[str, Tree]
    place: str
    settings: SchemaSettings
    read: dict[str, Folder] = field(default_factory=dict[str, Folder])

    def of(self, revision: tuple[str, str] | None) -> Side | None:
        if revision is None:
            return None
        name, oid = revision
        if oid not in self.read:
            self.read[oid] = read_folder(self.trees[oid], self.place, self.settings)
        return Side(name, self.read[oid])


def _to_read(checking: Checking) -> Iterator[Blob]:
    for one in _wanted(checking):
        if one is not None and one.mode not in {LINK, MODULE}:
            yield one


def _wanted(checking: Checking) -> Iterator[Blob | None]:
    for one in checking.looked_at:
        yield one.sql
        yield one.rollback
    for one in checking.own if checking.new else ():
        yield one.sql  # what it makes is free for those behind it
    now = checking.now.migrations
    sides = [side for side in (checking.head, *checking.based, *checking.merging) if side is not None]
    for side in sides:
        yield side.folder.journal
    for side in filter(None, (checking.head, *checking.merging)):
        # what is gone from there may have been given a new number
        gone = [one for one in side.folder.migrations.values() if one.text not in now]
        yield from (one.sql for one in gone)
        if gone:
            yield from (one.sql for one in now.values() if one.text not in side.folder.migrations)
    yield checking.now.journal
    schema_json = checking.now.exempt.get(SCHEMA_FILE)
    yield schema_json
    yield from checking.others.values()
    for one in now.values() if schema_json is not None else _applied(checking):
        yield one.sql


def _applied(checking: Checking) -> list[Migration]:
    names = checking.applied or {}
    return [one for one in checking.now.migrations.values() if one.text in names]


def _with_scripts(repository: Repository, home: str, found: Mapping[str, Checking]) -> Mapping[str, Checking]:
    """Look up the scripts that headers name, from the root of the repository and from the project's folder."""
    named = {path for one in found.values() for path in _named_scripts(one)}
    if not named:
        return found
    places = {path: [path, from_root(home, path)] for path in named if is_inside(path)}
    held = repository.index([one for both in places.values() for one in both]).blobs
    scripts = {path: held[one] for path, both in places.items() for one in reversed(both) if one in held}
    return {title: replace(one, scripts=scripts) for title, one in found.items()}


def _named_scripts(checking: Checking) -> Iterator[str]:
    for one in checking.looked_at:
        header = checking.header(one)
        path = script_path((header.value("Data Migration") if header is not None else None) or "")
        if path is not None:
            yield path


def _refuse_baseline(project: Project, settings: SchemaSettings, checking: Checking) -> None:
    stated = settings.baseline
    if stated is not None and (checking.baseline is None or stated not in checking.now.migrations):
        raise ConfigError(
            f"The baseline {stated} is no migration of {settings.folder}.",
            code="unknown-baseline",
            where=Where(file=str(project.file), path="schema.baseline"),
            hint="Name the last migration that was there before Isthmus.",
        )
    sides = [*checking.held_elsewhere, *checking.merging]
    held = names_in(sides)
    if stated is not None and held and stated not in held:
        raise ConfigError(
            f"The baseline {stated} is new: it is not in {' or '.join(dict.fromkeys(side.name for side in sides))}, so "
            "it was not there before Isthmus.",
            code="unknown-baseline",
            where=Where(file=str(project.file), path="schema.baseline"),
            hint="Name one that is committed there; a new migration is to follow the rules.",
        )
