"""What a project says of itself: `isthmus.toml`, or `[tool.isthmus]` of `pyproject.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Strict, TypeAdapter, ValidationError
from pydantic import Field as Stated

from isthmus.errors import ConfigError, Problem, Where
from isthmus.govern.changes.globs import OUT, glob_fault
from isthmus.govern.stated import path_of, wrong
from isthmus.work.amounts import plural

OWN_FILE = "isthmus.toml"
FILES: Mapping[str, tuple[str, ...]] = {OWN_FILE: (), "pyproject.toml": ("tool", "isthmus")}
"""Where settings may stand → the keys below which they do, there."""
Layout = Literal["folders", "flat"]
Section = Literal["schema", "changes"]
_EXAMPLES: dict[Section, str] = {
    "schema": 'folder = "migrations"\nlayout = "flat"',
    "changes": 'folder = "mongo-migrations"\nmodels = ["lib/model/**/*.ts"]',
}


def as_folder(text: str) -> str:
    """Return a folder as the settings have it.

    Raises:
        ValueError: It is none of the project's; its text is a sentence without its capital and full stop.
    """
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text or "\0" in text:
        raise ValueError("it must be a path inside of the project, with / between folders")
    if path == PurePosixPath():
        raise ValueError("it must be a folder of its own")
    return str(path)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as fault:
        raise ValueError(f"it is no regular expression: {fault}") from None
    return text


def _any_in(globs: tuple[str, ...]) -> tuple[str, ...]:
    if all(one.startswith(OUT) for one in globs):
        raise ValueError("one of them must take files in")
    return globs


def _glob(text: str) -> str:
    if (fault := glob_fault(text)) is not None:
        raise ValueError(fault)
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("it must not be empty")
    return text


def _day(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else value


Folder = Annotated[str, AfterValidator(as_folder)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Glob = Annotated[str, AfterValidator(_glob)]
Filled = Annotated[str, AfterValidator(_filled)]
Day = Annotated[date, Strict(), BeforeValidator(_day)]
_NOTHING_ELSE = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class SchemaSettings:
    """One folder of SQL migrations.

    Attributes:
        folder: Where they are, from the project's folder.
        layout: `folders`: `YYYYMMDDHHMMSS_name/migration.sql`; `flat`: `NNNN_name.sql`.
        name: What commands call it; its folder unless said.
        ticket: What a `Ticket:` must be, a regular expression for the whole value.
        models: `module:attribute` of SQLAlchemy's metadata.
        documents: Modules, or `module:class`, whose document models refer to these tables: `isthmus refs check`.
        baseline: The last migration that was there before Isthmus: up to it only changes are refused.
        off: Rule, or `dangerous-ddl/DANGER` → why it is switched off. `RULE/MIGRATION` excuses one migration from one
            rule; `rehearsal/MIGRATION` one that is committed from restoring what was there, and from getting through
            where tables have rows.
    """

    __pydantic_config__ = _NOTHING_ELSE

    folder: Folder
    layout: Layout = "folders"
    name: Filled | None = None
    ticket: Pattern = r"[A-Z][A-Z0-9]*-[0-9]+|N/A"
    models: Filled | None = None
    documents: tuple[Filled, ...] = ()
    baseline: Filled | None = None
    off: dict[str, Filled] = field(default_factory=dict[str, str])

    @property
    def title(self) -> str:
        """What commands call it."""
        return self.name or self.folder


@dataclass(frozen=True)
class ChangesSettings:
    """The log of changes of MongoDB models.

    Attributes:
        folder: Where its entries are.
        models: Globs of the model files, from the project's folder; one with ! in front takes files out again.
        ticket: As of a schema.
        since: Entries of earlier days were there before Isthmus: they are only kept from change.
        off: Rule → why it is switched off.
    """

    __pydantic_config__ = _NOTHING_ELSE

    folder: Folder
    models: Annotated[tuple[Glob, ...], AfterValidator(_any_in)]
    ticket: Pattern = r"[A-Z][A-Z0-9]*-[0-9]+|N/A"
    since: Day | None = None
    off: dict[str, Filled] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Settings:
    """All of it.

    Attributes:
        base: Revision that branches are merged into, such as `origin/main`: what it has is not changed any more, and
            new migrations come after it.
        schemas: Folders of SQL migrations.
        changes: The log of changes of MongoDB models.
    """

    __pydantic_config__ = _NOTHING_ELSE

    base: Filled | None = None
    schemas: Annotated[tuple[SchemaSettings, ...], Stated(alias="schema")] = ()
    changes: ChangesSettings | None = None

    def chosen(self, names: Sequence[str], file: Path) -> list[SchemaSettings]:
        """Return the schemas of these names; all where none is given.

        Raises:
            ConfigError: There is none of a name (code `unknown-schema`).
        """
        known = {one.title: one for one in self.schemas}
        for name in names:
            if name not in known:
                raise ConfigError(
                    f"There is no schema {name}.",
                    code="unknown-schema",
                    where=Where(file=str(file)),
                    hint=f"It has {', '.join(known) or 'none'}.",
                )
        return [known[name] for name in names] if names else list(known.values())


@dataclass(frozen=True)
class Project:
    """A project with its settings.

    Attributes:
        file: Where they stand.
        folder: What their paths start from.
    """

    file: Path
    settings: Settings

    @property
    def folder(self) -> Path:
        """What the paths of the settings start from."""
        return self.file.parent


def example(file: Path, section: Section) -> str:
    """Return lines such as could stand in a file of settings, to be copied from a message."""
    return f"[{'.'.join((*FILES[file.name], section))}]\n{_EXAMPLES[section]}"


def find_project(place: Path, *, section: Section = "schema") -> Project:
    """Read the settings of the project around a folder: the nearest file upwards that has any.

    Args:
        place: The folder.
        section: What a command looks for in them, for the example where there are none.

    Raises:
        ConfigError: There is none (code `no-settings`), or it says something wrong (`bad-settings`); `problems` holds
            every finding.
    """
    for folder in (place, *place.parents):
        for name in FILES:
            file = folder / name
            if file.is_file() and (found := read_project(file, file.read_bytes())) is not None:
                return found
    raise ConfigError(
        f"No settings were found in {place} or above it.",
        code="no-settings",
        hint=f"Write {OWN_FILE}, such as:\n{example(Path(OWN_FILE), section)}",
    )


def read_project(file: Path, content: bytes) -> Project | None:
    """Read settings out of what a file holds, or held once; None where a `pyproject.toml` has none of Isthmus.

    Raises:
        ConfigError: It says something wrong (code `bad-settings`).
    """
    try:
        found = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ConfigError(f"It is no TOML: {fault}", code="bad-settings", where=Where(file=str(file))) from None
    stated: object = found
    for key in FILES[file.name]:
        stated = cast("dict[str, object]", stated).get(key) if isinstance(stated, dict) else None
    return None if stated is None else Project(file, _parse(file, stated))


@cache
def _adapter() -> TypeAdapter[Settings]:
    return TypeAdapter(Settings)


def key_of(name: str) -> str:
    """Return the key in the file of an attribute of one of the dataclasses above."""
    return "schema" if name == "schemas" else name


def _parse(file: Path, found: object) -> Settings:
    alone = None
    if isinstance(found, dict):
        table = cast("dict[str, object]", found)
        if isinstance(one := table.get("schema"), dict):
            found, alone = {**table, "schema": [cast("object", one)]}, "schema"
    try:
        settings = _adapter().validate_python(found)
    except ValidationError as fault:
        problems = tuple(
            Problem(
                "bad-settings",
                f"The setting is wrong: {wrong(one, _known(one['loc']))}.",
                Where(file=str(file), path=path_of(one, one_table=alone)),
            )
            for one in fault.errors()
        )
        raise ConfigError(
            f"{plural(len(problems), 'setting is', 'settings are')} wrong.",
            code="bad-settings",
            where=Where(file=str(file)),
            problems=problems,
        ) from None
    _refuse_overlaps(file, settings)
    return settings


def _known(place: tuple[int | str, ...]) -> list[str]:
    kind = {"schema": SchemaSettings, "changes": ChangesSettings}.get(str(place[0])) if len(place) > 1 else None
    return [key_of(one.name) for one in fields(kind or Settings)]


def _refuse_overlaps(file: Path, settings: Settings) -> None:
    if not settings.schemas and settings.changes is None:
        raise ConfigError(
            "It names no folder of migrations and no models.",
            code="bad-settings",
            where=Where(file=str(file)),
            hint='Write [schema] with folder = "…", or [changes] with folder = "…" and models = ["…"].',
        )
    folders = [one.folder for one in settings.schemas]
    folders += [settings.changes.folder] if settings.changes is not None else []
    for number, one in enumerate(folders):
        for other in folders[number + 1 :]:
            if one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/"):
                raise ConfigError(
                    f"The folders {one} and {other} lie in each other.",
                    code="bad-settings",
                    where=Where(file=str(file)),
                    hint="Give each its own folder.",
                )
    titles = [one.title for one in settings.schemas]
    twice = next((one for one in titles if titles.count(one) > 1), None)
    if twice is not None:
        raise ConfigError(
            f"Two schemas are called {twice}.",
            code="bad-settings",
            where=Where(file=str(file)),
            hint="Name them apart.",
        )
