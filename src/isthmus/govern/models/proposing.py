"""Find the migrations that lead from a migrated scratch database to the models, by executing them there.

Each is tried in the way in which it would be deployed, and so is its rollback; the database ends as the migrations
would leave it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import psycopg

from isthmus.errors import TargetError
from isthmus.govern.catalog.compare import Difference, differences, shown
from isthmus.govern.catalog.model import Catalog, Key
from isthmus.govern.models.columns_of import must_be_given
from isthmus.govern.models.renames import (
    Answers,
    Ask,
    Renaming,
    column_renamings,
    decide,
    refuse_undecided,
    refuse_unused,
    table_renamings,
)
from isthmus.govern.models.scope import cut, sides
from isthmus.govern.models.step import CAREFUL, Phase, Step, Style
from isthmus.govern.models.stepping import Ground, Walk, rename_step
from isthmus.govern.models.view import unquoted

Reversible = Literal["Yes", "Partial", "No"]
_MAIN = (Phase.ROOM, Phase.TABLES, Phase.RULES, Phase.DROPS, Phase.COMMENTS)
_ONLINE = (Phase.ONLINE, Phase.COMMENTS)
_BACK = tuple(one for one in Phase if one != Phase.VALUES)


@dataclass(frozen=True)
class Part:
    """One migration to be written.

    Attributes:
        words: What its name has more than the one that was asked for; empty for none.
        steps: What it does.
        transaction: Whether it is one.
        reversible: Whether its rollback brings everything back.
        rollback: What undoes it, without semicolons.
        reasons: What a rollback does not bring back, or why there is none.
    """

    words: str
    steps: tuple[Step, ...]
    transaction: bool
    reversible: Reversible
    rollback: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """What leads to the models.

    Attributes:
        parts: Migrations, in order; none where nothing differs.
        left: Sentences: what stays different.
    """

    parts: Sequence[Part]
    left: Sequence[str]


def propose(
    connection: psycopg.Connection,
    wanted: Catalog,
    schemas: Collection[str],
    answers: Answers,
    ask: Ask | None = None,
    *,
    others: Collection[Key] = (),
) -> Proposal:
    """Return what leads from a migrated scratch database to the models.

    Args:
        connection: To the scratch database, in autocommit mode; afterwards it is as the proposal leaves it, or as a
            rollback outside of a transaction, which the server refused.
        wanted: What the models say, cut to it.
        schemas: Those that the models use.
        answers: What was said of renames.
        ask: Asks a person whether something is one; None where there is nobody.
        others: What belongs to other migrations.

    Raises:
        ConfigError: Something may be a rename (code `rename-or-not`), or what was said fits nothing
            (`no-such-rename`).
        TargetError: The server does not take a statement (code `models-by-hand`).
    """
    ground = Ground(connection)
    walk = Walk(ground, lambda found: sides(found, wanted, schemas, others).migrated)
    back = Walk(ground, lambda found: cut(found, schemas))
    renames = _renames(walk, wanted, answers, ask)
    values = _part(walk, back, "enum_values", lambda: walk.go(wanted, CAREFUL, (Phase.VALUES,)), transaction=False)
    later: list[str] = []

    def main() -> list[Step]:
        for one in renames:
            ground.execute(rename_step(one))
        done = [*map(rename_step, renames), *walk.go(wanted, CAREFUL, _MAIN)]
        later.extend(one.later for one in done if one.later is not None)
        return done

    whole = _part(walk, back, "", main, transaction=True, renames=renames)
    rest: list[Difference] = []

    def last() -> list[Step]:
        done = walk.go(wanted, CAREFUL, _ONLINE, later=later)
        rest.extend(differences(walk.now(), wanted))  # before its rollback is tried, which may end half way
        return done

    online = _part(walk, back, "online", last, transaction=False)
    return Proposal(
        [one for one in (values, whole, online) if one is not None],
        [*walk.left, *(sentence_of(one) for one in rest if not _is_told(one, walk.left))],
    )


def sentence_of(one: Difference) -> str:
    """Return what stays different between the migrations and the models, as a sentence."""
    what = f"{one.key.kind} {one.key.place}"
    if one.property is None:
        return f"{what} is {'not in the models' if one.before else 'in the models alone'}."
    return f"{what}: its {one.property} is {shown(one.before)} by the migrations, {shown(one.after)} by the models."


def _is_told(one: Difference, left: Sequence[str]) -> bool:
    return any(unquoted(one.key.place) in unquoted(sentence) for sentence in left)


def _renames(walk: Walk, wanted: Catalog, answers: Answers, ask: Ask | None) -> list[Renaming]:
    """Return what has another name; columns are looked for in the tables as they are called then."""
    before = walk.now()
    seen = table_renamings(before, wanted)
    chosen, unsaid = decide(before, wanted, seen, answers, ask)
    if chosen:
        with walk.ground.put_back():
            for one in chosen:
                walk.ground.execute(rename_step(one))
            before = walk.now()
    columns = column_renamings(before, wanted)
    if not unsaid:  # what is said of a column may be of a table that is called so then
        refuse_unused(answers, [*seen, *columns])
    more, open_ = decide(before, wanted, columns, answers, ask)
    refuse_undecided([*unsaid, *open_])
    return [*chosen, *more]


def _part(
    walk: Walk,
    back: Walk,
    words: str,
    go: Callable[[], list[Step]],
    *,
    transaction: bool,
    renames: Sequence[Renaming] = (),
) -> Part | None:
    before = back.now()
    if transaction:
        with walk.ground.connection.transaction():
            steps = go()
    else:
        steps = go()
    if not steps:
        return None
    lost = tuple(dict.fromkeys(one.loses for one in steps if one.loses is not None))
    if words == "enum_values":
        return Part(words, tuple(steps), transaction, "No", (), lost)  # they are sentences
    rollback, why = _way_back(back, before, steps, transaction=transaction, renames=renames)
    reasons = (*(f"A rollback does not bring back {one}." for one in lost), *why)
    reversible: Reversible = "No" if not rollback else "Partial" if reasons else "Yes"
    return Part(words, tuple(steps), transaction, reversible, tuple(rollback), reasons)


def _way_back(
    back: Walk, before: Catalog, steps: Sequence[Step], *, transaction: bool, renames: Sequence[Renaming]
) -> tuple[list[str], list[str]]:
    """Return statements that undo a part, and what they do not bring back.

    The database is left as it was; but without a transaction half way, where the server refuses some of them.
    """
    style = Style(careful=False, concurrently=not transaction)
    ground = back.ground
    done: list[Step] = []

    def go() -> list[Difference]:
        for one in reversed(renames):
            step = rename_step(one, back=True)
            ground.execute(step)
            done.append(step)
        done.extend(back.go(_fillable(before, back.now()), style, _BACK))
        return differences(back.now(), before)

    try:
        if transaction:
            with ground.put_back():
                rest = go()
        else:
            rest = go()
            for one in steps:
                ground.execute(one)
    except TargetError as fault:
        return [], [f"There is no rollback that the server takes: {fault.message}"]
    told = [one.note for one in done if one.note is not None]
    told += back.left
    told += [sentence for one in rest if not _is_told(one, told) for sentence in [_not_back(one)]]
    return [one.sql for one in done], told


def _fillable(wanted: Catalog, now: Catalog) -> Catalog:
    """Return what a rollback can lead to where there are rows: columns that come back are empty, so may be null."""
    new = wanted.keys() - now.keys()
    columns = {key for key in new if key.kind == "column" and must_be_given(wanted[key])}
    there = {key for key in columns if Key("table", key.schema, key.name) in now}
    return {key: {**one, "nullable": True} if key in there else one for key, one in wanted.items()}


def _not_back(one: Difference) -> str:
    if one.property == "nullable" and one.before:
        return f"{one.key.place} was NOT NULL: that comes back by hand, once it is filled."
    what = f", its {one.property}" if one.property else ""
    return f"A rollback does not bring back {one.key.kind} {one.key.place}{what}."
