"""Settle what no deployer can know: whether a statement got through, what was done by hand, what is gone for good.

Isthmus takes down what a person says, as a person's word, beside the history as it was. It changes no table of the
user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.errors import ConfigError
from isthmus.govern.deploying.deploy import deploying
from isthmus.govern.deploying.situation import Kind, Situation, find_situation
from isthmus.govern.deploying.standing import THROUGH, TO_APPLY, Standing, standings
from isthmus.govern.migrations.script import Script
from isthmus.state.migrate import migrate
from isthmus.state.schema_history import forget, read_history, told
from isthmus.state.schema_words import keep_word


@dataclass(frozen=True)
class Answer:
    """What a person says.

    Attributes:
        kind: Which of the answers.
        steps_done: Of `step`: how many statements are through.
        why: In the person's words; None where none were given.
    """

    kind: Kind
    steps_done: int | None = None
    why: str | None = None


def settle(conninfo: str, title: str, scripts: Sequence[Script], name: str, answer: Answer) -> Standing:
    """Take down what a person says of a migration; return where it stands then.

    Raises:
        ConfigError: Nobody knows the migration (code `unknown-migration`), it cannot be answered so (`not-an-answer`),
            or older ones are not applied yet (`older-pending`).
        TargetError: A deployer is at work (code `lease-held`), or the database cannot be written to.
    """
    with deploying(conninfo) as lease:
        connection = lease.connection
        found = find_situation(connection, title, scripts, name)
        _refuse(found, answer)
        before = standings(scripts, read_history(connection, title))
        if answer.kind == "applied":
            _refuse_gaps(before, found.standing)
        late = answer.kind == "again" and _has_newer(before, found.standing)  # to be applied on a person's word alone
        migrate(connection)
        with connection.transaction():
            keep_word(connection, title, name, answer.kind, done=answer.steps_done, why=answer.why)
            script = found.standing.script
            if script is None or (answer.kind in {"again", "forget"} and not late):
                forget(connection, title, name)
            else:
                steps = len(script.statements)
                done = steps if answer.kind == "applied" else answer.steps_done or 0
                state = "applied" if answer.kind == "applied" else "settled"
                told(connection, title, name, script.checksum, steps, state=state, done=done, whose="person")
        every = standings(scripts, read_history(connection, title))
        return next((one for one in every if one.name == name), found.standing)


def _refuse(found: Situation, answer: Answer) -> None:
    one = found.standing
    if answer.kind not in found.possible:
        others = ", ".join(f"--{kind}{' N' if kind == 'step' else ''}" for kind in found.possible)
        raise ConfigError(
            f"--{answer.kind} is no answer to {one.name}, which is {one.stand}.",
            code="not-an-answer",
            hint=f"Possible: {others}." if others else _nothing_to_settle(one),
        )
    steps = len(one.script.statements) if one.script else 0
    if answer.kind == "step" and not 0 <= (answer.steps_done or 0) < steps:
        raise ConfigError(
            f"{one.name} has {steps} statements; {answer.steps_done} is none to go on behind.",
            code="not-an-answer",
            hint="--applied says that all of it is there.",
        )


def _has_newer(every: Sequence[Standing], one: Standing) -> bool:
    behind = every[[other.name for other in every].index(one.name) + 1 :]
    return any(other.script is not None and other.applied is not None and other.applied.is_through for other in behind)


def _nothing_to_settle(one: Standing) -> str:
    if one.stand not in THROUGH:
        return "There is nothing to settle."
    return "Newer ones are applied, so it stays: write what is missing, or what undoes it, as a new migration."


def _refuse_gaps(every: Sequence[Standing], one: Standing) -> None:
    """Refuse that something counts as applied while older ones wait: they could not be applied any more."""
    if one.stand not in TO_APPLY | {"half-run"}:
        return
    names = [other.name for other in every]
    waiting = [other.name for other in every[: names.index(one.name)] if other.stand in TO_APPLY | {"half-run"}]
    if waiting:
        raise ConfigError(
            f"Older ones are not applied yet: {', '.join(waiting)}.",
            code="older-pending",
            hint=f"Settle them first, or apply them: isthmus schema deploy --to {waiting[-1]}.",
        )
