"""`isthmus schema drift`: make models and migrations in scratch databases, and hold them and a live one together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import psycopg

from isthmus.connect.postgres import connect
from isthmus.errors import ConfigError, TargetError, Where
from isthmus.govern.catalog.compare import differences
from isthmus.govern.catalog.model import Catalog, Key
from isthmus.govern.catalog.read import read_catalog
from isthmus.govern.deploying.standing import THROUGH, Standing, standings
from isthmus.govern.drifting.pairs import Drift, drifts, elsewhere, explained, governed, unsound
from isthmus.govern.migrations.script import Script, read_scripts
from isthmus.govern.models.from_models import helpers_of
from isthmus.govern.models.loading import load_metadata
from isthmus.govern.models.making import models_database
from isthmus.govern.models.migrated import Migrated, migrated_database
from isthmus.govern.models.scope import cut, hanging_on, schemas_in, sides
from isthmus.govern.scratch import Scratch
from isthmus.govern.settings import Project, SchemaSettings
from isthmus.state.schema_history import read_history

_MAJOR = 10_000


@dataclass
class Compared:
    """What was found of one schema of the settings.

    Attributes:
        pairs: `models-migrations`, `migrations-database`, `models-database` → in what they differ; those that could be
            made.
        pending: Migrations that the database has not, in order.
        misfits: Name of a migration → its stand, where history and files do not fit together.
        no_history: The database has no history of this schema, and was held against all migrations.
        unspoken: What the migrations make and the models say nothing of.
    """

    pairs: dict[str, list[Drift]] = field(default_factory=dict[str, list[Drift]])
    pending: list[str] = field(default_factory=list[str])
    misfits: dict[str, str] = field(default_factory=dict[str, str])
    no_history: bool = False
    unspoken: tuple[Key, ...] = ()


@dataclass
class Compares:
    """What was found of all.

    Attributes:
        schemas: What the settings call a schema → what was found of it.
        unmade: Why what the database has applied cannot be made of the files; then it was held against all migrations.
            None where it can.
        unsound: Sentences: what the database has and does not rely on.
        elsewhere: Schemas of the database in which the migrations made nothing.
        versions: Major versions of the scratch server and of the database, where they differ.
    """

    schemas: dict[str, Compared] = field(default_factory=dict[str, Compared])
    unmade: str | None = None
    unsound: list[str] = field(default_factory=list[str])
    elsewhere: list[str] = field(default_factory=list[str])
    versions: tuple[int, int] | None = None

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        return any(found for one in self.schemas.values() for found in one.pairs.values())


def compare_all(
    project: Project, chosen: Sequence[SchemaSettings], scratch: Scratch, live: psycopg.Connection | None
) -> Compares:
    """Compare each pair of models, migrations and database that can be made. Reads the database alone.

    Args:
        project: The project.
        chosen: Which schemas of it.
        scratch: Where databases may be made.
        live: A connection to the database; None for none.

    Raises:
        ConfigError: There is nothing to compare with (code `nothing-to-compare`); as `load_metadata`,
            `models_database` and `read_scripts`.
        TargetError: The server refused a migration.
    """
    if live is None and not any(one.models for one in chosen):
        raise ConfigError(
            "There is nothing to compare the migrations with: no database is given, and the settings name no models.",
            code="nothing-to-compare",
            where=Where(file=str(project.file)),
            hint='Give --target, or write models = "module:attribute" into the settings.',
        )
    scripts = {one.title: read_scripts(project.folder / one.folder, one) for one in project.settings.schemas}
    found = Compares({one.title: Compared() for one in chosen})
    database = read_catalog(live) if live is not None else None
    standing = _standing(live, scripts) if live is not None else {}
    models = _Models(project, scratch)
    with migrated_database(scratch, list(scripts.items())) as whole:
        for settings in chosen:
            if settings.models is not None:
                _with_models(models, settings, whole, found.schemas[settings.title])
        if database is None or live is None:
            return found
        for title, ones in standing.items():
            if title in found.schemas:
                _stand(found.schemas[title], ones)
        applied = {title: _applied(scripts[title], ones) for title, ones in standing.items()}
        with ExitStack() as stack:
            there = whole
            if applied != scripts:
                try:
                    there = stack.enter_context(migrated_database(scratch, list(applied.items())))
                except TargetError as fault:  # one may rely on another that is missing, or was changed since
                    found.unmade = fault.message.removesuffix(".")
            _with_database(models, chosen, there, whole.catalog, database, found)
    found.unsound = unsound(database)
    ours, theirs = scratch.version // _MAJOR, live.info.server_version // _MAJOR
    found.versions = (ours, theirs) if ours != theirs else None
    return found


def _standing(live: psycopg.Connection, scripts: Mapping[str, Sequence[Script]]) -> dict[str, list[Standing]]:
    return {title: standings(ones, read_history(live, title)) for title, ones in scripts.items()}


def _stand(compared: Compared, ones: Sequence[Standing]) -> None:
    compared.no_history = bool(ones) and not any(one.applied is not None for one in ones)
    if compared.no_history:
        return
    compared.pending = [one.name for one in ones if one.stand == "pending"]
    compared.misfits = {one.name: one.stand for one in ones if one.stand not in THROUGH | {"pending"}}


def _applied(scripts: list[Script], ones: Sequence[Standing]) -> list[Script]:
    """Return the migrations that a database has; all where it has no history, for then that says nothing."""
    if not any(one.applied is not None for one in ones):
        return scripts
    return [one.script for one in ones if one.script is not None and one.applied is not None and one.applied.is_through]


@dataclass(frozen=True)
class _Models:
    """What models make; those that may rely on the same are made once."""

    project: Project
    scratch: Scratch
    made: dict[tuple[str, ...], Catalog] = field(default_factory=dict[tuple[str, ...], Catalog])

    def catalog(self, settings: SchemaSettings, migrated: Catalog) -> Catalog:
        extensions, helpers = helpers_of(migrated)
        known = (settings.title, *extensions, "", *helpers)
        if known not in self.made:
            metadata, folder = load_metadata(self.project, settings), self.project.folder
            with (
                models_database(self.scratch, metadata, folder, extensions=extensions, helpers=helpers) as conninfo,
                connect(conninfo, autocommit=True) as connection,
            ):
                self.made[known] = read_catalog(connection)
        return self.made[known]


def _with_models(models: _Models, settings: SchemaSettings, whole: Migrated, compared: Compared) -> None:
    said = models.catalog(settings, whole.catalog)
    there = sides(whole.catalog, said, schemas_in(said), whole.others(settings.title))
    compared.unspoken = there.unspoken
    compared.pairs["models-migrations"] = drifts(("models", there.models), ("migrations", there.migrated))


def _with_database(
    models: _Models,
    chosen: Sequence[SchemaSettings],
    there: Migrated,
    whole: Catalog,
    database: Catalog,
    found: Compares,
) -> None:
    found.elsewhere = elsewhere(database, there.own)
    told: set[Key] = set()
    for settings in chosen:
        compared = found.schemas[settings.title]
        others = there.others(settings.title)
        others |= hanging_on(database, others) - there.catalog.keys()
        made, live = (governed(one, there.own, others) for one in (there.catalog, database))
        differing = drifts(("migrations", made), ("database", live))
        compared.pairs["migrations-database"] = [one for one in differing if one.key not in told]
        told |= {one.key for one in differing}
        if settings.models is None:
            continue
        said = models.catalog(settings, there.catalog)
        schemas = schemas_in(said)
        both = sides(database, said, schemas, others)
        pending = differences(cut(there.catalog, schemas), cut(whole, schemas))
        differing = drifts(("models", both.models), ("database", both.migrated))
        compared.pairs["models-database"] = explained(differing, pending)
