"""Which migrations get which new numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from isthmus.errors import ConfigError, GovernError, Problem, Where
from isthmus.govern.checking import Checking, names_in
from isthmus.govern.migrations.names import Name, name_of, parse_name
from isthmus.govern.writing.draft import next_name


@dataclass(frozen=True)
class Plan:
    """New names.

    Attributes:
        names: Old name → new name, in order; empty where nothing needs another.
        after: The migration behind which they come; None where there is none.
    """

    names: Mapping[str, str]
    after: str | None


def plan_numbers(checking: Checking, named: Sequence[str], now: datetime) -> Plan:
    """Decide on new numbers: the next free ones behind what stays, in the order in which the old ones stood.

    Args:
        checking: The folder, with its base, and with what a database has where one was asked.
        named: Migrations that are to have one, with all own ones that come after them; none for all that do not come
            after what the base has.
        now: UTC, without zone.

    Raises:
        ConfigError: There is no migration of a name (code `no-such-migration`), or no number is left (`bad-name`).
        GovernError: One that is named is in the base, in HEAD where no base is known, or applied (`not-renumbered`);
            `problems` names each.
    """
    kept = _kept(checking)
    _refuse(checking, named, kept)
    layout = checking.now.settings.layout
    own = [one for one in checking.own if one.name is not None and one.text not in kept]
    known = [name for side in checking.held_elsewhere for one in side.folder.named if (name := one.name) is not None]
    known += [name for text in checking.applied or () if (name := name_of(text, checking.now.settings)) is not None]
    after = max(known, key=lambda one: one.order, default=None)
    _refuse_stuck(checking, after)
    first = min((place for place, one in enumerate(own) if one.text in named), default=0)
    known += [name for one in own[:first] if (name := one.name) is not None]
    names: dict[str, str] = {}
    for one in own[first:]:
        before, name = one.name, one.name
        assert before is not None  # noqa: S101  `own` has none such
        last = max((int(other.number) for other in known), default=-1)
        if one.text in named or int(before.number) <= last:
            name = parse_name(next_name(before.words, known, layout, now), layout)
        if name is None or name.order <= before.order:
            name = before
        else:
            names[one.text] = name.text
        known.append(name)
    return Plan(names, None if after is None else after.text)


def _kept(checking: Checking) -> Mapping[str, str]:
    """Return name → why it keeps its number."""
    found: dict[str, str] = {}
    for side in checking.held_elsewhere:
        why = f"It is in {side.name}" + ("" if checking.based else ", and no base is known that has it not")
        found |= dict.fromkeys(side.folder.migrations, f"{why}.")
    found |= dict.fromkeys(checking.applied or (), "It was applied to the target.")
    return found | {one.text: "It belongs to the baseline." for one in checking.now.named if checking.is_older(one)}


def _refuse(checking: Checking, named: Sequence[str], kept: Mapping[str, str]) -> None:
    for text in named:
        if text not in checking.now.migrations:
            raise ConfigError(
                f"Git holds no migration {text} in {checking.now.path}.",
                code="no-such-migration",
                hint="git add a new one first; isthmus schema status lists those that there are.",
            )
    problems = [
        Problem("not-renumbered", kept[text], Where(file=checking.now.migrations[text].path))
        for text in named
        if text in kept
    ]
    if problems:
        raise GovernError(
            "What others may have already keeps its number; nothing was changed.",
            code="not-renumbered",
            problems=tuple(problems),
            hint='Where only this branch has it, name the base: --base REV, or base = "…" in the settings.',
        )


def _refuse_stuck(checking: Checking, after: Name | None) -> None:
    """Refuse where one that was applied stands before what a base that has it not holds.

    Raises:
        GovernError: Code `not-renumbered`.
    """
    based = names_in(checking.held_elsewhere)
    problems = [
        Problem("not-renumbered", "It was applied to the target.", Where(file=one.path))
        for one in checking.now.named
        if one.name is not None
        and one.text in (checking.applied or {})
        and one.text not in based
        and after is not None
        and one.name.order < after.order
        and after.text in based
    ]
    if problems:
        raise GovernError(
            "What was applied keeps its number, and comes before what the base has; nothing was changed.",
            code="not-renumbered",
            problems=tuple(problems),
            hint="Make the target anew, where it is a database for trying things out.",
        )
