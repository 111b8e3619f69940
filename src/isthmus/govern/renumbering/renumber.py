"""`isthmus schema renumber`: move files to new numbers, in the working tree and in the index, and what names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from isthmus.errors import ConfigError, Problem, Where
from isthmus.govern.checking import Checking
from isthmus.govern.gathering import Gathered, gather
from isthmus.govern.migrations.journal import JournalFault, read_journal
from isthmus.govern.migrations.names import SCHEMA_FILE, parse_name, snapshot_number, snapshot_path
from isthmus.govern.migrations.renaming import renumbered_journal, with_names
from isthmus.govern.renumbering.plan import plan_numbers
from isthmus.govern.repository.tree import LINK, MODULE
from isthmus.govern.settings import Project, SchemaSettings


@dataclass(frozen=True)
class Renumbered:
    """What was done.

    Attributes:
        names: Old name → new name, in order.
        after: The migration behind which they come; None where there is none.
        files: Path from the repository's root → where it is now, of everything that was moved or written anew.
        stale: Snapshots of Drizzle that were moved, and do not know what came in before them.
        untracked: Files of the folder that git does not hold; they keep their numbers.
        has_schema_json: Whether there is a `schema.json`, which names the old numbers.
    """

    names: Mapping[str, str]
    after: str | None
    files: Mapping[str, str]
    stale: Sequence[str]
    untracked: Sequence[str]
    has_schema_json: bool


def renumber(
    project: Project,
    settings: SchemaSettings,
    named: Sequence[str] = (),
    *,
    base: str | None = None,
    applied: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Renumbered:
    """Give migrations that are in no base, and not applied, numbers behind those that are.

    Files are moved by git, texts written into the working tree and staged. Safe to repeat: what is in order stays.

    Args:
        project: The project.
        settings: The schema.
        named: Those that are to have a new number; none for all that need one.
        base: As of a check.
        applied: Name → checksum of what a database has; None where none is asked.
        dry_run: Whether only to say what would be done.

    Raises:
        ConfigError: As `gather` and `plan_numbers`; files have changes that are not staged (code `not-staged`), the
            journal cannot be read (`bad-journal`), a file stands where one would be moved to (`in-the-way`), or a merge
            is going on and no base is known (`no-base`).
        GovernError: As `plan_numbers`.
    """
    gathered = gather(
        project,
        [settings],
        scope="base" if base is not None else "all",
        base=base,
        applied=None if applied is None else {settings.title: applied},
    )
    checking = gathered.checkings[settings.title]
    _refuse_either_side(checking)
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    plan = plan_numbers(checking, named, now)
    moves = dict(_moves(checking, plan.names))
    texts = dict(_texts(checking, plan.names, moves, now))
    _refuse_unstaged(gathered, [*moves, *(path for path in texts if path not in moves.values())])
    _refuse_overwriting(gathered, moves)
    if not dry_run:
        # from the last to the first: a new number may be the old one of what comes behind
        for old, new in reversed(moves.items()):
            gathered.repository.move(old, new)
        for path, text in texts.items():
            (gathered.repository.root / path).write_bytes(text)
        gathered.repository.stage(list(texts))
    return Renumbered(
        plan.names,
        plan.after,
        moves | {path: path for path in texts if path not in moves.values()},
        [new for new in moves.values() if new.endswith("_snapshot.json")],
        gathered.untracked,
        SCHEMA_FILE in checking.now.exempt,
    )


def _refuse_either_side(checking: Checking) -> None:
    if checking.merging and not checking.based:
        raise ConfigError(
            "A merge is going on, and no base is known: nothing tells which side keeps its numbers.",
            code="no-base",
            hint='Give --base, such as main, or name it in the settings: base = "main".',
        )


def _moves(checking: Checking, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    folder = checking.now.path
    for old, new in names.items():
        for blob in checking.now.migrations[old].blobs:
            inside = blob.path.removeprefix(f"{folder}/")
            yield blob.path, f"{folder}/{new}{inside.removeprefix(old)}"
    numbers = {old.partition("_")[0]: new.partition("_")[0] for old, new in names.items()}
    kept = {one.name.number for one in checking.now.named if one.name is not None and one.text not in names}
    for inside in sorted(checking.now.exempt):
        number = snapshot_number(inside)
        if number in numbers and number not in kept:
            yield f"{folder}/{inside}", f"{folder}/{snapshot_path(numbers[number])}"


def _texts(
    checking: Checking, names: Mapping[str, str], moves: Mapping[str, str], now: datetime
) -> Iterator[tuple[str, bytes]]:
    """Yield what is written anew: path as it is then, and text."""
    for one in checking.own:
        if one.sql is None or one.sql.mode in {LINK, MODULE}:
            continue
        before = checking.texts[one.sql.oid]
        text = with_names(before, names)
        if text != before:
            yield moves.get(one.sql.path, one.sql.path), text
    if checking.now.journal is None:
        return
    journal = checking.text(checking.now.journal) or ""
    try:
        text = _journal(checking, names, journal, now)
    except JournalFault as fault:
        raise ConfigError(
            f"The journal cannot be read: {fault}.",
            code="bad-journal",
            where=Where(file=checking.now.journal.path),
            hint="Put it back from HEAD.",
        ) from None
    if text != journal:
        yield checking.now.journal.path, text.encode()


def _journal(checking: Checking, names: Mapping[str, str], journal: str, now: datetime) -> str:
    layout = checking.now.settings.layout
    own = {one.text for one in checking.own}
    bases = [text for side in checking.held_elsewhere if (text := checking.text(side.folder.journal)) is not None]
    known = {one.tag for text in bases for one in read_journal(text)} | {one.tag for one in read_journal(journal)}
    tags = [
        name
        for text in checking.now.migrations
        if (name := parse_name(names.get(text, text), layout)) is not None and (text in own or text in known)
    ]
    return renumbered_journal(
        journal,
        names,
        [one.text for one in sorted(tags, key=lambda one: one.order)],
        bases,
        int((now - datetime(1970, 1, 1)).total_seconds()) * 1000,  # noqa: DTZ001  UTC without zone
    )


def _refuse_unstaged(gathered: Gathered, paths: Sequence[str]) -> None:
    problems = [
        Problem("not-staged", "It has changes that are not staged.", Where(file=path))
        for path in gathered.repository.unstaged(paths)
    ]
    missing = [path for path in paths if not Path(gathered.repository.root / path).is_file()]
    problems += [
        Problem("not-staged", "It is in the index, and not in the working tree.", Where(file=path)) for path in missing
    ]
    if problems:
        raise ConfigError(
            "Files that would be moved have changes that git does not hold; nothing was changed.",
            code="not-staged",
            problems=tuple({one.where.file: one for one in problems}.values()),
            hint="git add them, or put them back.",
        )


def _refuse_overwriting(gathered: Gathered, moves: Mapping[str, str]) -> None:
    there = [new for new in moves.values() if new not in moves and (gathered.repository.root / new).exists()]
    if there:
        raise ConfigError(
            "Something stands already where files would be moved to; nothing was changed.",
            code="in-the-way",
            problems=tuple(Problem("in-the-way", "It is there.", Where(file=path)) for path in there),
            hint="Move it away, or git add it, so that it is counted.",
        )
