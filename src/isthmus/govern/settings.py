"""What a project says of itself: `isthmus.toml`, or `[tool.isthmus]` of `pyproject.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from isthmus.errors import ConfigError, Problem, Where
from isthmus.govern.changes.globs import OUT, glob_fault
from isthmus.work.amounts import plural

FILES = ("isthmus.toml", "pyproject.toml")
Layout = Literal["folders", "flat"]


def _folder(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text:
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


Folder = Annotated[str, AfterValidator(_folder)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Glob = Annotated[str, AfterValidator(_glob)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SchemaSettings(_Settings):
    """One folder of SQL migrations.

    Attributes:
        folder: Where they are, from the project's folder.
        layout: `folders`: `YYYYMMDDHHMMSS_name/migration.sql`; `flat`: `NNNN_name.sql`.
        name: What commands call it; its folder unless said.
        ticket: What a `Ticket:` must be, a regular expression for the whole value.
        models: `module:attribute` of SQLAlchemy's metadata.
        baseline: The last migration that was there before Isthmus: up to it only changes are refused.
        unproven: Migration → why its rollback need not restore what was there, or why it may fail where tables have
            rows; for what is committed and can no longer say so itself.
        off: Rule, or `dangerous-ddl/NAME` → why it is switched off.
    """

    folder: Folder
    layout: Layout = "folders"
    name: str | None = None
    ticket: Pattern = r"[A-Z][A-Z0-9]*-[0-9]+|N/A"
    models: str | None = None
    baseline: str | None = None
    unproven: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    off: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)

    @property
    def title(self) -> str:
        """What commands call it."""
        return self.name or self.folder


class ChangesSettings(_Settings):
    """The log of changes of MongoDB models.

    Attributes:
        folder: Where its entries are.
        models: Globs of the model files, from the project's folder; one with ! in front takes files out again.
        ticket: As of a schema.
        since: Entries of earlier days were there before Isthmus: they are only kept from change.
        off: Rule → why it is switched off.
    """

    folder: Folder
    models: Annotated[tuple[Glob, ...], AfterValidator(_any_in)]
    ticket: Pattern = r"[A-Z][A-Z0-9]*-[0-9]+|N/A"
    since: date | None = None
    off: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)


class Settings(_Settings):
    """All of it.

    Attributes:
        base: Revision that branches are merged into, such as `origin/main`: what it has is not changed any more, and
            new migrations come after it.
        schemas: Folders of SQL migrations.
        changes: The log of changes of MongoDB models.
    """

    base: str | None = None
    schemas: tuple[SchemaSettings, ...] = Field(default=(), alias="schema")
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


class Project(BaseModel):
    """A project with its settings.

    Attributes:
        file: Where they stand.
        folder: What their paths start from.
    """

    model_config = ConfigDict(frozen=True)

    file: Path
    settings: Settings

    @property
    def folder(self) -> Path:
        """What the paths of the settings start from."""
        return self.file.parent


def find_project(place: Path) -> Project:
    """Read the settings of the project around a folder: the nearest file upwards that has any.

    Raises:
        ConfigError: There is none (code `no-settings`), or it says something wrong (`bad-settings`); `problems` holds
            every finding.
    """
    for folder in (place, *place.parents):
        for name in FILES:
            file = folder / name
            if file.is_file() and (found := _read(file)) is not None:
                return Project(file=file, settings=_parse(file, found))
    raise ConfigError(
        f"No settings were found in {place} or above it.",
        code="no-settings",
        hint='Write isthmus.toml, such as:  [schema]  folder = "migrations"  layout = "flat"',
    )


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ConfigError(f"It is no TOML: {fault}", code="bad-settings", where=Where(file=str(file))) from None
    if file.name == FILES[0]:
        return found
    return found.get("tool", {}).get("isthmus")


def _parse(file: Path, found: dict[str, Any]) -> Settings:
    stated = found.get("schema")
    given = {**found, "schema": [cast("object", stated)]} if isinstance(stated, dict) else found
    try:
        settings = Settings.model_validate(given)
    except ValidationError as fault:
        problems = tuple(
            Problem("bad-settings", _sentence(one["msg"]), Where(file=str(file), path=_path(one["loc"])))
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


def _sentence(text: str) -> str:
    said = text.removeprefix("Value error, ")
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith('.') else '.'}"


def _path(parts: tuple[int | str, ...]) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


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
