"""What is done to a verified target, and what must be said of it: stated before anything is run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.damage.source import SECRETS
from tests.damage.target import Ended, Target

ANY = "*"
"""Stands for any id, path, table or layer: where that cannot be known beforehand, or does not matter."""


class Named(NamedTuple):
    """What one difference must name; an id or a path that begins with SELECT is asked of the target beforehand."""

    layer: str
    table: str
    id: str | None
    path: str


Names = tuple[Named, ...]


@dataclass(frozen=True)
class Case:
    """One damage.

    Attributes:
        name: What is done, for people.
        must: Everything that must be named, each once or more.
        damage: Statements, run in order; `{0}`, `{1}` and so on stand for the answers to `ask`.
        ask: Queries, asked of the undamaged target.
        may: What may be named besides.
        dump: What is done to a copy of the dump instead.
        arguments: Given to `isthmus verify` besides; `{other}` is a folder of the test's own.
        code: Exit code of `isthmus verify`.
        refused: The code of the error where nothing is verified at all.
        alone: Whether no other damage may be done at the same time.
    """

    name: str
    must: Names = ()
    damage: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    may: Names = ()
    dump: Callable[[Path], None] | None = None
    arguments: tuple[str, ...] = ()
    code: int = 1
    refused: str | None = None
    alone: bool = True


def became(table: str, column: str) -> Names:
    """What is named where the books tell of other values that were changed on the way than the documents have."""
    return Named("counts", table, None, column), Named("samples", table, None, column)


def both(table: str, row: str | None, *paths: str) -> Names:
    """Name columns of a row, or the row itself, in the two layers that compare rows."""
    return tuple(Named(layer, table, row, path) for path in paths or ("(row)",) for layer in ("checksum", "samples"))


def row_gone(table: str, row: str) -> Names:
    """Name a row that is missing."""
    return (*both(table, row), Named("counts", table, None, "(rows)"))


def row_added(table: str, row: str) -> Names:
    """Name a row that is too many; a sample of documents does not see one that belongs to no document."""
    return (Named("checksum", table, row, "(row)"), Named("counts", table, None, "(rows)"))


def counted(table: str, *columns: str) -> Names:
    """Name columns that hold another number of values."""
    return tuple(Named("types", table, None, column) for column in columns)


def asked(target: Target, names: Iterable[Named]) -> list[Named]:
    """Ask the target for what can only be said in SQL."""

    def said(text: str | None) -> str | None:
        return target.one(text) if text is not None and text.startswith("SELECT ") else text

    return [Named(one.layer, one.table, said(one.id), said(one.path) or "") for one in names]


@dataclass(frozen=True)
class Prepared:
    """A case with every question answered.

    Attributes:
        case: The case.
        must: What must be named.
        may: What may be named.
        damage: The statements.
    """

    case: Case
    must: tuple[Named, ...]
    may: tuple[Named, ...]
    damage: tuple[str, ...]


def prepare(case: Case, verified: Target) -> Prepared:
    """Answer a case's questions on the undamaged target."""
    answers = [verified.one(query) for query in case.ask]
    damage = tuple(filled(statement, answers) for statement in case.damage)
    return Prepared(case, tuple(asked(verified, case.must)), tuple(asked(verified, case.may)), damage)


def filled(statement: str, answers: Sequence[str]) -> str:
    """Put answers into a statement."""
    for number, answer in enumerate(answers):
        statement = statement.replace(f"{{{number}}}", answer)
    return statement


def judged(prepared: Sequence[Prepared], ended: Ended) -> list[str]:
    """Return what is wrong with what `isthmus verify` said of some damage; nothing where all is as stated."""
    code = max(one.case.code for one in prepared)
    wrong = [f"exit code {ended.code}, not {code}: {ended.errors[:300]}"] if ended.code != code else []
    wrong += [f"a sensitive value is told: {secret}" for secret in SECRETS if secret in ended.said]
    report = ended.report or {}
    refused = next((one.case.refused for one in prepared if one.case.refused), None)
    if refused is not None:
        return wrong if report.get("code") == refused else [*wrong, f"refused with {report.get('code')}, not {refused}"]
    named = {_named(one) for one in report.get("differences", [])}
    must = {name for one in prepared for name in one.must}
    may = must | {name for one in prepared for name in one.may}
    missing = [pattern for pattern in must if not any(_is(name, pattern) for name in named)]
    besides = [name for name in named if not any(_is(name, pattern) for pattern in may)]
    wrong += [f"not named: {tuple(pattern)}" for pattern in sorted(missing, key=str)]
    wrong += [f"named besides: {tuple(name)}" for name in sorted(besides, key=str)]
    failed = {layer for layer, found in report.get("layers", {}).items() if found["outcome"] == "failed"}
    if failed != {name.layer for name in named}:
        wrong.append(f"layers that failed ({sorted(failed)}) are not those that name something")
    return wrong


def _named(difference: Mapping[str, Any]) -> Named:
    return Named(difference["layer"], difference["table"], difference["id"], difference["path"])


def _is(name: Named, pattern: Named) -> bool:
    return all(theirs in (ANY, mine) for mine, theirs in zip(name, pattern, strict=True))
