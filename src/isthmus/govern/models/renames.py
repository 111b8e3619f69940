"""Whether what is gone and what is new are one thing under another name: only a person knows. Pure.

A column that is gone and one of the same type that is new in its table may be one; so may a table that is gone and a
new one with the same columns. Dropping and adding would lose every value, so nothing is guessed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from isthmus.errors import ConfigError, Problem, Where
from isthmus.govern.catalog.model import Catalog, Key, columns
from isthmus.govern.catalog.naming import quoted

_PART = re.compile(r'"((?:[^"]|"")*)"|([^".=]+)')


@dataclass(frozen=True, order=True)
class Renaming:
    """One thing under another name.

    Attributes:
        kind: `table` or `column`.
        schema: Its schema.
        table: The table's name as it is before, or the name of the table that the column is in.
        old: Its name before.
        new: Its name after.
    """

    kind: str
    schema: str
    table: str
    old: str
    new: str

    def thing(self, name: str) -> str:
        """Return it under a name as options name it: `users.email`, `"Odd table".x`, `app.users`."""
        parts = [*([self.schema] if self.schema != "public" else []), *([self.table] if self.kind == "column" else [])]
        return ".".join(quoted(one) for one in (*parts, name))

    @property
    def option(self) -> str:
        """What says that it is one."""
        return f"--rename {shlex.quote(f'{self.thing(self.old)}={self.thing(self.new)}')}"

    @property
    def refusal(self) -> str:
        """What says that it is none."""
        return f"--no-rename {shlex.quote(self.thing(self.old))}"


Ask = Callable[[Renaming], bool]
"""A person's answer: whether it is one."""


@dataclass(frozen=True)
class Answers:
    """What a person said beforehand.

    Attributes:
        renames: Old and new of each `--rename`, names cut at their dots.
        others: Those of each `--no-rename`.
    """

    renames: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    others: tuple[tuple[str, ...], ...] = ()

    def says(self, one: Renaming) -> bool | None:
        """Return whether it is a rename; None where nothing was said."""
        olds, news = _spellings(one, one.old), _spellings(one, one.new)
        if any(old in olds and new in news for old, new in self.renames):
            return True
        if any(old in olds or new in news for old, new in self.renames) or olds & set(self.others):
            return False
        return None


def read_answers(renames: Iterable[str], others: Iterable[str]) -> Answers:
    """Read what options say.

    Raises:
        ConfigError: One cannot be read (code `usage`).
    """
    pairs: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for text in renames:
        old, rest = _name(text)
        new, end = _name(rest.removeprefix("=")) if rest.startswith("=") else ((), rest)
        if not old or not new or end:
            raise ConfigError(
                f"--rename {text} names no two things.",
                code="usage",
                hint="Write --rename users.name=users.full_name, or people=users; quote odd names as SQL does.",
            )
        pairs.append((old, new))
    plain: list[tuple[str, ...]] = []
    for text in others:
        old, end = _name(text)
        if not old or end:
            raise ConfigError(f"--no-rename {text} names nothing.", code="usage", hint="Write --no-rename users.name.")
        plain.append(old)
    return Answers(tuple(pairs), tuple(plain))


def table_renamings(before: Catalog, after: Catalog) -> list[Renaming]:
    """Return tables that may have another name: gone and new, in one schema."""
    return _crossed("table", before, after)


def column_renamings(before: Catalog, after: Catalog) -> list[Renaming]:
    """Return columns that may have another name: gone and new, in one table."""
    return _crossed("column", before, after)


def decide(
    before: Catalog, after: Catalog, found: Sequence[Renaming], answers: Answers, ask: Ask | None
) -> tuple[list[Renaming], list[Renaming]]:
    """Return those that are renames, and those of which nobody said whether they are.

    Args:
        before: What is there.
        after: What is wanted.
        found: What may be one.
        answers: What was said beforehand; it counts also where the two look different.
        ask: Asks a person; None where there is nobody.
    """
    chosen: list[Renaming] = []
    open_: list[Renaming] = []
    used: set[tuple[str, ...]] = set()

    def free(one: Renaming) -> bool:
        return not used & {
            (one.kind, one.schema, one.table, one.old),
            ("new", one.kind, one.schema, one.table if one.kind == "column" else "", one.new),
        }

    def take(one: Renaming) -> None:
        chosen.append(one)
        used.add((one.kind, one.schema, one.table, one.old))
        used.add(("new", one.kind, one.schema, one.table if one.kind == "column" else "", one.new))

    for one in found:
        if answers.says(one) and free(one):
            take(one)
    for one in found:
        if answers.says(one) is None and free(one) and _alike(before, after, one):
            if ask is None:
                open_.append(one)
            elif ask(one):
                take(one)
    return chosen, open_


def refuse_undecided(some: Sequence[Renaming]) -> None:
    """Refuse what is alike, and neither said to be a rename nor to be none.

    Raises:
        ConfigError: Code `rename-or-not`.
    """
    if some:
        raise ConfigError(
            "What is gone may be what is new, under another name: dropped and added it would lose its values.",
            code="rename-or-not",
            problems=tuple(
                Problem(
                    "rename-or-not",
                    f"{one.kind} {one.thing(one.old)} is gone, and {one.thing(one.new)} is new and like it.",
                    Where(),
                    f"{one.option}, or {one.refusal}.",
                )
                for one in some
            ),
            hint="Say of each which it is.",
        )


def refuse_unused(answers: Answers, seen: Sequence[Renaming]) -> None:
    """Refuse what was said of something that is not there.

    Args:
        answers: What was said.
        seen: Everything that could have been meant.

    Raises:
        ConfigError: Code `no-such-rename`.
    """
    problems = [
        Problem("no-such-rename", f"{_joined(old)} and {_joined(new)} are not gone and new in one place.", Where())
        for old, new in answers.renames
        if not any(old in _spellings(one, one.old) and new in _spellings(one, one.new) for one in seen)
    ]
    problems += [
        Problem("no-such-rename", f"{_joined(old)} is not gone, or nothing new could be it.", Where())
        for old in answers.others
        if not any(old in _spellings(one, one.old) for one in seen)
    ]
    if problems:
        raise ConfigError(
            "What the options say fits nothing that differs.",
            code="no-such-rename",
            problems=tuple(problems),
            hint="The old name is one of the migrations, the new one of the models. Of a column, both are"
            " TABLE.COLUMN.",
        )


def _crossed(kind: str, before: Catalog, after: Catalog) -> list[Renaming]:
    gone = sorted(key for key in before if key.kind == kind and key not in after)
    new = sorted(key for key in after if key.kind == kind and key not in before)
    if kind == "table":
        return [
            Renaming(kind, old.schema, old.name, old.name, one.name)
            for old in gone
            for one in new
            if old.schema == one.schema
        ]
    return [
        Renaming(kind, old.schema, old.name, old.part, one.part)
        for old in gone
        for one in new
        if old[1:3] == one[1:3] and Key("table", *old[1:3]) in before and Key("table", *old[1:3]) in after
    ]


def _alike(before: Catalog, after: Catalog, one: Renaming) -> bool:
    if one.kind == "table":
        old, new = (
            {name: column["type"] for name, column in columns(side, one.schema, name).items()}
            for side, name in ((before, one.old), (after, one.new))
        )
        return old == new
    old, new = (
        side[Key("column", one.schema, one.table, name)]["type"] for side, name in ((before, one.old), (after, one.new))
    )
    return old == new


def _spellings(one: Renaming, name: str) -> set[tuple[str, ...]]:
    own = (one.table, name) if one.kind == "column" else (name,)
    return {own, (one.schema, *own)} if one.schema == "public" else {(one.schema, *own)}


def _name(text: str) -> tuple[tuple[str, ...], str]:
    """Return the parts of a dotted name, and what stands behind it."""
    parts: list[str] = []
    at = 0
    while (found := _PART.match(text, at)) is not None:
        parts.append(found[1].replace('""', '"') if found[1] is not None else found[2])
        at = found.end()
        if text[at : at + 1] != ".":
            break
        at += 1
    return tuple(parts), text[at:]


def _joined(parts: tuple[str, ...]) -> str:
    return ".".join(quoted(one) for one in parts)
