"""`isthmus changes check`: read what git holds of models and of the log, and ask every rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from isthmus.errors import ConfigError, Where
from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.changes.holding import Held, hold
from isthmus.govern.changes.known import Known, known_of
from isthmus.govern.changes.names import FOLDER as ENTRIES
from isthmus.govern.changes.names import LOG, README
from isthmus.govern.changes.notes import notes
from isthmus.govern.changes.rules.all import RULES
from isthmus.govern.checking import Scope
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.folder import Folder, read_folder
from isthmus.govern.migrations.names import SCHEMA_FILE
from isthmus.govern.repository.git import Repository
from isthmus.govern.repository.revisions import base_unasked, find_revisions
from isthmus.govern.repository.tree import LINK, MODULE, Blob, Tree
from isthmus.govern.rules.rule import findings_of
from isthmus.govern.schema_json import schema_json_of
from isthmus.govern.settings import ChangesSettings, Project, example
from isthmus.govern.settings_before import Before, changed, let_pass, newly_off
from isthmus.govern.unknown_rules import refuse_unknown


@dataclass(frozen=True)
class CheckedChanges:
    """What a check came to.

    Attributes:
        findings: All of them, by file and line.
        notes: Sentences on what could not be asked.
        models: How many there are.
        changed: Path of a model → what became of it, of those that need an entry.
        entries: How many there are.
        looked_at: Of how many of them names and texts were looked at.
        untracked: Models and files of the log that git does not hold, so that nothing looked at them.
        unstaged: Those that the working tree has otherwise than the index, by which they were judged.
        off: Rule → why it is switched off.
    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    models: int = 0
    changed: Mapping[str, str] = field(default_factory=dict[str, str])
    entries: int = 0
    looked_at: int = 0
    untracked: tuple[str, ...] = ()
    unstaged: tuple[str, ...] = ()
    off: Mapping[str, str] = field(default_factory=dict[str, str])


def changes_of(project: Project) -> ChangesSettings:
    """Return the settings of the log of changes.

    Raises:
        ConfigError: There are none (code `no-changes`), or they switch a rule off that there is none of
            (`unknown-rule`).
    """
    settings = project.settings.changes
    if settings is None:
        raise ConfigError(
            "The settings name no models.",
            code="no-changes",
            where=Where(file=str(project.file)),
            hint=f"Write into it, such as:\n{example(project.file, 'changes')}",
        )
    rules = sorted(rule.name for rule in RULES)
    unknown = [("changes.off", name) for name in settings.off if name not in rules]
    refuse_unknown(project.file, unknown, rules, f"The rules: {', '.join(rules)}.")
    return settings


def check_changes(project: Project, *, staged: bool = False, base: str | None = None) -> CheckedChanges:
    """Check the log of changes of a project, as it would be committed.

    Args:
        project: The project.
        staged: Compare with HEAD, and look at the texts of entries that are not in it alone.
        base: Revision that the branch will be merged into: it is compared with where the branch parted from it, and
            only texts that it has not are looked at. Where None, all texts are looked at, and models are compared with
            the base of the settings, if it is there, else with HEAD.

    Raises:
        ConfigError: No models in the settings (`no-changes`), no repository (`no-repository`, `no-git`), a merge that
            is not settled (`unmerged`), a base that is no revision (`no-base`) or has no commit in common with HEAD
            (`no-common-commit`), a rule that there is none of (`unknown-rule`).
    """
    settings = changes_of(project)
    scope: Scope = "staged" if staged else "base" if base is not None else "all"
    repository = Repository.around(project.folder)
    revisions = find_revisions(repository, base if base is not None else project.settings.base, given=base is not None)
    held = hold(repository, project, settings, revisions, staged=staged)
    folders = [read_folder(held.now, path, one) for one, path in held.migrations]
    texts = {**held.texts, **repository.read(_to_read(held.now, held.folder, folders))}
    parted, tip = revisions.parted, revisions.tip

    def side(found: tuple[str, str] | None) -> Tree | None:
        return None if found is None else Tree(found[0], held.trees[found[1]].blobs)

    checking = ChangesChecking(
        settings,
        settings_file=held.settings_file,
        project=held.home,
        folder=held.folder,
        globs=held.globs,
        now=held.now,
        before=side(revisions.compared(staged=staged)) or Tree("nothing"),
        head=side(revisions.head),
        parted=side(parted),
        tip=side(tip),
        merging=tuple(filter(None, map(side, held.merging))),
        scope=scope,
        beginning=held.before is None,
        texts=texts,
        touched=repository.touched(tip[1], held.own) if tip is not None and parted is not None and not staged else (),
        known=_known(folders, texts),
        today=datetime.now(UTC).date(),
    )
    found = [*findings_of(RULES, checking, settings.off), *held.given_up]
    return CheckedChanges(
        tuple(sorted(found)),
        tuple(
            dict.fromkeys(
                (
                    *base_unasked(project.settings.base, revisions),
                    *notes(checking),
                    *_loosened(checking, held.before),
                )
            )
        ),
        len(checking.models),
        {one.path: one.how for one in checking.changes},
        len(checking.entries),
        len(checking.looked_at),
        tuple(one for one in held.untracked if _is_own(held, one)),
        tuple(one for one in held.unstaged if _is_own(held, one)),
        settings.off,
    )


def _is_own(held: Held, path: str) -> bool:
    return held.globs.match(path) or path.startswith(f"{held.folder}/")


def _loosened(checking: ChangesChecking, before: Before | None) -> Iterator[str]:
    """Say what a change of the settings brings with it, so that nothing is switched off unseen."""
    if before is None:
        return
    settings = checking.settings
    yield from changed(before, settings)
    new = newly_off(before, settings.off)
    more = findings_of((rule for rule in RULES if rule.name in new), checking)
    yield from let_pass(before, settings.folder, more)


def _to_read(index: Tree, folder: str, folders: Sequence[Folder]) -> list[Blob]:
    """Return the files of which rules know the text: the log, journals of migrations and `schema.json`."""
    beside = [index.blobs.get(f"{folder}/{name}") for name in (LOG, README)]
    beside += [blob for one in folders for blob in (one.journal, one.exempt.get(SCHEMA_FILE))]
    wanted = [*index.below(f"{folder}/{ENTRIES}"), *(one for one in beside if one is not None)]
    return [blob for blob in wanted if blob.mode not in {LINK, MODULE}]


def _known(folders: Sequence[Folder], texts: Mapping[str, bytes]) -> Known:
    def text(blob: Blob | None) -> str | None:
        found = texts.get(blob.oid) if blob is not None else None
        return None if found is None else found.decode(errors="replace")

    return known_of((one, text(one.journal), schema_json_of(text(one.exempt.get(SCHEMA_FILE)))) for one in folders)
