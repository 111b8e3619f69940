"""`isthmus schema check`: read what git holds of the folders of migrations, and ask every rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from isthmus.errors import ConfigError, Where
from isthmus.govern.checking import Checking, Scope, Side
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.folder import read_folder
from isthmus.govern.repository.git import Repository
from isthmus.govern.repository.tree import LINK, MODULE, Blob
from isthmus.govern.rules.all import RULES
from isthmus.govern.settings import Project, SchemaSettings


@dataclass(frozen=True)
class Checked:
    """What a check came to.

    Attributes:
        findings: All of them, by file and line.
        folders: Folder → migrations that it holds in the index.
        looked_at: Folder → those whose names and texts were looked at.
        untracked: Files of those folders that git does not hold, so that nothing looked at them.
        off: Rule → why it is switched off, by folder.
    """

    findings: tuple[Finding, ...] = ()
    folders: dict[str, int] = field(default_factory=dict[str, int])
    looked_at: dict[str, int] = field(default_factory=dict[str, int])
    untracked: tuple[str, ...] = ()
    off: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])


def check_schemas(
    project: Project, *, staged: bool = False, base: str | None = None, only: Sequence[str] = ()
) -> Checked:
    """Check every folder of migrations of a project, as it would be committed.

    Args:
        project: The project.
        staged: Look at the texts of what is not in HEAD alone.
        base: Revision that the branch will be merged into: only texts that it has not are looked at. Where None, the
            one of the settings is compared with if it is there, and all texts are looked at.
        only: Names of schemas; none for all.

    Raises:
        ConfigError: No repository (`no-repository`, `no-git`), a merge that is not settled (`unmerged`), a base that is
            no revision (`no-base`), a schema of another name (`unknown-schema`), a rule that there is none of
            (`unknown-rule`), a baseline that is no migration (`unknown-baseline`).
    """
    schemas = _chosen(project, only)
    scope: Scope = "staged" if staged else "base" if base is not None else "all"
    repository = Repository.around(project.folder)
    places = {settings.title: _place(repository, project, settings) for settings in schemas}
    revisions = _revisions(repository, base if base is not None else project.settings.base, given=base is not None)
    folders = sorted(places.values())
    index = repository.index(folders)
    trees = {oid: repository.tree(oid, folders, name=name) for name, oid in revisions.known}
    found: list[Finding] = []
    held: dict[str, int] = {}
    looked_at: dict[str, int] = {}
    for settings in schemas:
        place = places[settings.title]

        def side(found: tuple[str, str] | None, place: str = place, settings: SchemaSettings = settings) -> Side | None:
            return None if found is None else Side(found[0], read_folder(trees[found[1]], place, settings))

        checking = Checking(
            now=read_folder(index, place, settings),
            head=side(revisions.head),
            parted=side(revisions.parted),
            tip=side(revisions.tip),
            scope=scope,
            tree=index,
            today=datetime.now(UTC).replace(tzinfo=None),
        )
        _refuse_baseline(project, settings, checking)
        checking = replace(checking, texts=repository.read(_to_read(checking)))
        for rule in RULES:
            if rule.name not in settings.off:
                found += rule.find(checking)
        held[settings.title], looked_at[settings.title] = len(checking.now.migrations), len(checking.looked_at)
    return Checked(
        tuple(sorted(found)),
        held,
        looked_at,
        tuple(repository.untracked(folders)),
        {settings.title: settings.off for settings in schemas if settings.off},
    )


def _to_read(checking: Checking) -> list[Blob]:
    wanted = [blob for one in checking.looked_at for blob in (one.sql, one.rollback) if blob is not None]
    wanted += [checking.now.journal] if checking.now.journal is not None else []
    return [blob for blob in wanted if blob.mode not in {LINK, MODULE}]


@dataclass(frozen=True)
class _Revisions:
    """Commits, each as its name for people and its id.

    Attributes:
        head: None before the first commit.
        parted: Where HEAD parted from the base.
        tip: The base as it is now.
    """

    head: tuple[str, str] | None
    parted: tuple[str, str] | None = None
    tip: tuple[str, str] | None = None

    @property
    def known(self) -> list[tuple[str, str]]:
        """Those that there are."""
        return [one for one in (self.head, self.parted, self.tip) if one is not None]


def _revisions(repository: Repository, base: str | None, *, given: bool) -> _Revisions:
    commit = repository.commit("HEAD")
    head = ("HEAD", commit) if commit is not None else None
    tip = repository.commit(base) if base is not None else None
    if tip is None and given:
        raise ConfigError(
            f"{base} is no revision of this repository.",
            code="no-base",
            hint="Fetch it (in CI: with enough history), or name another one.",
        )
    if base is None or tip is None:
        return _Revisions(head)
    parted = repository.parted(commit, tip) if commit is not None else None
    return _Revisions(head, (base, parted) if parted is not None else None, (base, tip))


def _place(repository: Repository, project: Project, settings: SchemaSettings) -> str:
    folder = (project.folder / settings.folder).resolve()
    root = repository.root.resolve()
    if not folder.is_relative_to(root):
        raise ConfigError(
            f"{settings.folder} lies outside of the repository.",
            code="bad-settings",
            where=Where(file=str(project.file)),
            hint="A folder of migrations belongs to the repository it is checked in.",
        )
    return folder.relative_to(root).as_posix()


def _chosen(project: Project, only: Sequence[str]) -> list[SchemaSettings]:
    rules = {rule.name for rule in RULES}
    for settings in project.settings.schemas:
        for name in settings.off:
            if name not in rules:
                raise ConfigError(
                    f"There is no rule {name} to switch off.",
                    code="unknown-rule",
                    where=Where(file=str(project.file), path="schema.off"),
                    hint=f"The rules: {', '.join(sorted(rules))}.",
                )
    return project.settings.chosen(only, project.file)


def _refuse_baseline(project: Project, settings: SchemaSettings, checking: Checking) -> None:
    stated = settings.baseline
    if stated is not None and (checking.baseline is None or stated not in checking.now.migrations):
        raise ConfigError(
            f"The baseline {stated} is no migration of {settings.folder}.",
            code="unknown-baseline",
            where=Where(file=str(project.file), path="schema.baseline"),
            hint="Name the last migration that was there before Isthmus.",
        )
