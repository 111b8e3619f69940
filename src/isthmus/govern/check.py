"""`isthmus schema check`: read what git holds of the folders of migrations, and ask every rule."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from isthmus.govern.checking import Checking, Scope
from isthmus.govern.excuses import REHEARSAL, names_migration, without_excused
from isthmus.govern.findings import Finding
from isthmus.govern.gathering import Gathered, gather
from isthmus.govern.linting.dangers import NAMES
from isthmus.govern.linting.report import Report
from isthmus.govern.linting.squawk import Text, find_squawk, lint
from isthmus.govern.migrations.folder import Migration
from isthmus.govern.repository.revisions import base_unasked
from isthmus.govern.rules import dangerous_ddl, header_dependencies
from isthmus.govern.rules.all import RULES
from isthmus.govern.rules.rule import findings_of
from isthmus.govern.settings import Project, SchemaSettings
from isthmus.govern.settings_before import changed, let_pass, newly_off
from isthmus.govern.unknown_rules import refuse_unknown
from isthmus.work.amounts import plural

_ON_CHANGES = frozenset({"migration-unchanged", "migration-applied", "migration-order"})


@dataclass(frozen=True)
class Checked:
    """What a check came to.

    Attributes:
        findings: All of them, by file and line.
        folders: Folder → migrations that it holds in the index.
        looked_at: Folder → those whose names and texts were looked at.
        untracked: Files of those folders that git does not hold, so that nothing looked at them.
        unstaged: Those that the working tree has otherwise than the index, by which they were judged.
        off: Rule → why it is switched off, by folder.
        notes: Sentences on what could not be looked at.
    """

    findings: tuple[Finding, ...] = ()
    folders: dict[str, int] = field(default_factory=dict[str, int])
    looked_at: dict[str, int] = field(default_factory=dict[str, int])
    untracked: tuple[str, ...] = ()
    unstaged: tuple[str, ...] = ()
    off: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    notes: tuple[str, ...] = ()


def check_schemas(
    project: Project,
    *,
    staged: bool = False,
    base: str | None = None,
    only: Sequence[str] = (),
    applied: Mapping[str, Mapping[str, str]] | None = None,
) -> Checked:
    """Check every folder of migrations of a project, as it would be committed.

    Args:
        project: The project.
        staged: Look at the texts of what is not in HEAD alone.
        base: Revision that the branch will be merged into: only texts that it has not are looked at. Where None, the
            one of the settings is compared with if it is there, and all texts are looked at.
        only: Names of schemas; none for all.
        applied: Schema → name → checksum of what a database has; None where none is asked.

    Raises:
        ConfigError: No repository (`no-repository`, `no-git`), a merge that is not settled (`unmerged`), a base that is
            no revision (`no-base`) or has no commit in common with HEAD (`no-common-commit`), a schema of another name
            (`unknown-schema`), a rule that there is none of (`unknown-rule`), a baseline that is no migration
            (`unknown-baseline`), a squawk that does not work (`squawk-failed`).
    """
    schemas = _chosen(project, only)
    scope: Scope = "staged" if staged else "base" if base is not None else "all"
    gathered = gather(project, schemas, scope=scope, base=base, applied=applied)
    report, unasked = _lint(gathered.checkings.values())
    checkings = {title: replace(one, lint=report) for title, one in gathered.checkings.items()}
    needless: list[str] = []
    found = {
        title: without_excused(findings_of(RULES, one, one.now.settings.off), one, needless.append)
        for title, one in checkings.items()
    }
    all_found = [finding for ones in found.values() for finding in ones]
    return Checked(
        tuple(sorted([*all_found, *gathered.given_up])),
        {title: len(one.now.migrations) for title, one in checkings.items()},
        {title: len(one.looked_at) for title, one in checkings.items()},
        tuple(gathered.untracked),
        tuple(gathered.unstaged),
        {settings.title: settings.off for settings in schemas if settings.off},
        (
            *unasked,
            *needless,
            *_notes(project, gathered, all_found),
            *_committed(checkings, all_found),
            *_loosened(gathered, checkings, found),
        ),
    )


def _loosened(
    gathered: Gathered, checkings: Mapping[str, Checking], found: Mapping[str, Collection[Finding]]
) -> Iterator[str]:
    """Say what a change of the settings brings with it, so that nothing is switched off unseen."""
    for title, before in gathered.before.items():
        checking = checkings[title]
        settings = checking.now.settings
        yield from changed(before, settings)
        new = newly_off(before, settings.off)
        held = replace(settings, off={name: why for name, why in settings.off.items() if name not in new})
        strict = replace(checking, now=replace(checking.now, settings=held))
        touched = {name.partition("/")[0] for name in new}
        more = findings_of((rule for rule in RULES if rule.name in touched), strict, held.off)
        yield from let_pass(before, title, {*without_excused(more, strict)} - {*found[title]})


def _lint(checkings: Iterable[Checking]) -> tuple[Report | None, list[str]]:
    """Ask squawk of all new migrations at once; return what it said, and a note where it is not installed."""
    texts = [
        Text(one.sql.path, checking.texts[one.sql.oid], _in_transaction(checking, one))
        for checking in checkings
        if dangerous_ddl.RULE.name not in checking.now.settings.off
        for one in checking.new
        if one.sql is not None and checking.text(one.sql)
    ]
    if not texts:
        return None, []
    squawk = find_squawk()
    if squawk is None:
        many = plural(len(texts), "migration")
        note = f"squawk is not installed, so that dangerous DDL was not looked for in {many}: pip install squawk-cli."
        return None, [note]
    return lint(squawk, texts), []


def _in_transaction(checking: Checking, one: Migration) -> bool:
    header = checking.header(one)
    return header is None or header.in_transaction


def _notes(project: Project, gathered: Gathered, found: Sequence[Finding]) -> Iterator[str]:
    yield from base_unasked(project.settings.base, gathered.revisions)
    for title, checking in gathered.checkings.items():
        unknown = header_dependencies.without_tables(checking)
        if unknown and header_dependencies.names_unknown_tables(checking):
            yield (
                f"{', '.join(unknown)} {'has' if len(unknown) == 1 else 'have'} no schema.json, so that tables in "
                f"`Dependencies:` of {title} were not looked up: isthmus schema rehearse writes it."
            )
        if not checking.now.migrations and not any(one.file == checking.now.path for one in found):
            yield f"Git holds no migration in {checking.now.path}: nothing was looked at there."


def _committed(checkings: Mapping[str, Checking], found: Iterable[Finding]) -> Iterator[str]:
    """Say where findings are about what may not be changed any more, and how to live with that."""
    files = [one.file for one in found if one.rule not in _ON_CHANGES]
    for title, checking in checkings.items():
        if checking.head is None:
            continue
        held = checking.head.folder
        count = sum(file in held.blobs and checking.tree.blobs.get(file) == held.blobs[file] for file in files)
        if count:
            ways = (
                f'name the last of them in the settings: baseline = "{held.named[-1].text if held.named else "…"}".'
                if checking.baseline is None
                else 'move the baseline on to the last of them. Else excuse each: off = {"RULE/MIGRATION" = "why"}.'
            )
            yield (
                f"{plural(count, 'finding is', 'findings are')} about migrations of {title} that are committed "
                f"already. Where they were there before Isthmus, {ways}"
            )


def _chosen(project: Project, only: Sequence[str]) -> list[SchemaSettings]:
    rules = {rule.name for rule in RULES} | {f"{dangerous_ddl.RULE.name}/{name}" for name in NAMES}
    excusable = {REHEARSAL, *rules}
    unknown: list[tuple[str, str]] = []
    for number, settings in enumerate(project.settings.schemas):
        path = "schema.off" if len(project.settings.schemas) == 1 else f"schema[{number}].off"
        for name in settings.off:
            rule, _, migration = name.partition("/")
            if name not in rules and not (rule in excusable and names_migration(migration)):
                unknown.append((path, name))
    refuse_unknown(
        project.file,
        unknown,
        sorted(rules),
        f"The rules: {', '.join(rule.name for rule in RULES)}; and dangerous-ddl/DANGER, of its page."
        " RULE/MIGRATION excuses one migration, rehearsal/MIGRATION one from what a rehearsal finds.",
    )
    return project.settings.chosen(only, project.file)
