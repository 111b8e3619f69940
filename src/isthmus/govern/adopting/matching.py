"""Hold another runner's history against the files of a folder: what it applied, and what does not fit. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from isthmus.errors import Problem, Where
from isthmus.govern.adopting.foreign import TITLES, Entry, Foreign
from isthmus.govern.migrations.journal import Entry as Journaled
from isthmus.govern.migrations.script import Script, checksums

_SHORT = 12
"""Digits of a hash that stand for what has no name."""


@dataclass(frozen=True)
class Taken:
    """A migration that is taken over.

    Attributes:
        script: The migration.
        applied_at: When it was applied; None where nobody knows.
        accepted: Whether it is so only because a person said so.
    """

    script: Script
    applied_at: datetime | None = None
    accepted: bool = False


@dataclass
class Match:
    """What came of it.

    Attributes:
        taken: Migrations that the database has, in order.
        problems: What does not fit.
        used: What was accepted and was there to be accepted.
        forgotten: Names of what is in the history and nowhere else, and was accepted.
    """

    taken: list[Taken] = field(default_factory=list[Taken])
    problems: list[Problem] = field(default_factory=list[Problem])
    used: set[str] = field(default_factory=set[str])
    forgotten: list[str] = field(default_factory=list[str])


def match(
    scripts: Sequence[Script], foreign: Foreign, accepted: Collection[str], journal: Sequence[Journaled] = ()
) -> Match:
    """Find the file of every entry, and what does not fit.

    Args:
        scripts: All migrations of the folder, in order.
        foreign: The history.
        accepted: Names (of what has none, the first digits of its hash) that a person said of are as they should be.
        journal: Drizzle's, where there is one.
    """
    found = Match()
    title = TITLES[foreign.runner]
    whens = {one.tag: one.when for one in journal}
    known = _pairs(scripts, foreign.entries, whens)
    same = {
        known[entry.id].name.text
        for entry in foreign.entries
        if entry.id in known and _is_text_of(known[entry.id], entry.checksum)
    }
    for entry in foreign.entries:
        script = known.get(entry.id)
        label = entry.name or (script.name.text if script else entry.checksum[:_SHORT])
        where = Where(file=script.file if script else label)
        if entry.failed:
            found.problems.append(
                Problem(
                    "failed-there",
                    f"{title} began it, and it did not get through.",
                    where,
                    f"Settle it with {title} first: prisma migrate resolve --applied {label}, or --rolled-back.",
                )
            )
        elif script is None:
            if label in accepted:
                found.used.add(label)
                found.forgotten.append(label)
            else:
                what = f"{label} (hash of its text; its entry in the journal was of {entry.when})"
                found.problems.append(
                    Problem(
                        "gone",
                        f"{title} applied {entry.name or what}, and its file is gone.",
                        where,
                        f"Put the file back, or leave it out for good: --accept {label}",
                    )
                )
        else:
            _take(found, script, entry, accepted, title, same=script.name.text in same)
    _look_for_gaps(found, scripts, accepted, title, whens if journal else None)
    order = {script.name.text: number for number, script in enumerate(scripts)}
    found.taken.sort(key=lambda one: order[one.script.name.text])
    return found


def _take(found: Match, script: Script, entry: Entry, accepted: Collection[str], title: str, *, same: bool) -> None:
    name = script.name.text
    if not same and name not in accepted:
        found.problems.append(
            Problem(
                "edited",
                f"It was changed since {title} applied it.",
                Where(file=script.file),
                f"Put it back as it was applied, or say that the database has what it says now: --accept {name}",
            )
        )
        return
    if not same:
        found.used.add(name)
    if not any(one.script.name.text == name for one in found.taken):
        found.taken.append(Taken(script, entry.applied_at, accepted=not same))


def _look_for_gaps(
    found: Match, scripts: Sequence[Script], accepted: Collection[str], title: str, whens: dict[str, int] | None
) -> None:
    """Add what is older than the newest that was applied, and was never applied itself."""
    named = {one.script.name.text for one in found.taken} | {
        problem.where.file for problem in found.problems if problem.code in {"edited", "failed-there"}
    }
    newest = max((one.script.name.order for one in found.taken), default=None)
    for script in scripts:
        name = script.name.text
        if newest is None or script.name.order >= newest or name in named or script.file in named:
            continue
        if name in accepted:
            found.used.add(name)
            found.taken.append(Taken(script, accepted=True))
            continue
        why = "" if whens is None or name in whens else " It is not in the journal, so Drizzle never knew it."
        found.problems.append(
            Problem(
                "never-applied",
                f"{title} did not apply it, though it applied newer ones.{why}",
                Where(file=script.file),
                "Where only your branch has it, isthmus schema renumber puts it behind them. Else execute its SQL by "
                f"hand, unless the database has it all the same, and say so: --accept {name}",
            )
        )


def _pairs(scripts: Sequence[Script], entries: Sequence[Entry], whens: dict[str, int]) -> dict[str, Script]:
    """Return id of an entry → its file: by name where there is one; else by hash and time, by time, by hash."""
    found: dict[str, Script] = {}
    free = {script.name.text: script for script in scripts}
    for entry in entries:
        if entry.name is not None and entry.name in free:
            found[entry.id] = free[entry.name]
    named = {script.name.text for script in found.values()}
    free = {name: script for name, script in free.items() if name not in named}
    for by_hash, by_time in ((True, True), (False, True), (True, False)):
        for entry in entries:
            if entry.id in found or entry.name is not None:
                continue
            for name, script in free.items():
                if (not by_time or (entry.when is not None and whens.get(name) == entry.when)) and (
                    not by_hash or _is_text_of(script, entry.checksum)
                ):
                    found[entry.id] = free.pop(name)
                    break
    return found


def _is_text_of(script: Script, checksum: str) -> bool:
    """Tell whether a checksum is that of a file: with any ends of lines, as both runners do, and in the form of early
    versions of Prisma, which left leading zeros of bytes out (prisma-engines, issue 1887)."""
    made = checksums(script.sql)
    return checksum in made or checksum in [_unpadded(one) for one in made]


def _unpadded(digest: str) -> str:
    return "".join(f"{byte:x}" for byte in bytes.fromhex(digest))
