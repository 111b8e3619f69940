"""`isthmus schema new --from-models`: the next migrations, from what models say and migrations do not make yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData

from isthmus.connect.postgres import connect
from isthmus.govern.catalog.compare import differences
from isthmus.govern.catalog.model import Catalog, Key
from isthmus.govern.catalog.read import read_catalog
from isthmus.govern.migrations.names import parse_name, sql_path
from isthmus.govern.migrations.script import Script, read_scripts
from isthmus.govern.models.alembic_opinion import second_opinion
from isthmus.govern.models.loading import load_metadata
from isthmus.govern.models.making import models_database
from isthmus.govern.models.migrated import migrated_database
from isthmus.govern.models.proposing import Part, Proposal, propose, sentence_of
from isthmus.govern.models.renames import Answers, Ask
from isthmus.govern.models.scope import Sides, schemas_in, sides
from isthmus.govern.models.step import Step
from isthmus.govern.rehearsing.apply import apply_script
from isthmus.govern.scratch import Scratch
from isthmus.govern.settings import Project, SchemaSettings
from isthmus.govern.sql.statements import split
from isthmus.govern.writing.draft import Draft, draft
from isthmus.govern.writing.new import Place, next_place, put


@dataclass(frozen=True)
class Written:
    """What came of it.

    Attributes:
        files: What was written; none where nothing differs, or nothing of it can be written.
        left: Sentences: what stays different from the models.
        unspoken: What the migrations make and the models say nothing of; it stays.
        elsewhere: Schemas with tables in which there is no model; they stay.
        opinion: What Alembic's comparison names besides.
    """

    files: tuple[Path, ...]
    left: tuple[str, ...]
    unspoken: tuple[Key, ...]
    elsewhere: tuple[str, ...]
    opinion: tuple[str, ...]


def write_from_models(
    project: Project,
    settings: SchemaSettings,
    said: str,
    scratch: Scratch,
    *,
    purpose: str | None = None,
    ticket: str | None = None,
    answers: Answers,
    ask: Ask | None = None,
) -> Written:
    """Write the migrations that lead from those that are there to the models, tried on a scratch database.

    Args:
        project: The project.
        settings: The schema.
        said: What a person calls the change.
        scratch: Where databases may be made.
        purpose: Why it is made; None leaves that to be written.
        ticket: Where it was decided; None takes what the name of the branch says.
        answers: What was said of renames.
        ask: Asks a person whether something is one; None where there is nobody.

    Raises:
        ConfigError: As `load_metadata`, `models_database`, `read_scripts`, `propose` and `next_place`.
        TargetError: The server refused a migration, or what would lead to the models.
    """
    metadata = load_metadata(project, settings)
    place = next_place(project, settings, said, ticket=ticket, purpose=purpose)
    with migrated_database(scratch, scripts_up_to(project, settings)) as migrated:
        others = migrated.others(settings.title)
        extensions, helpers = helpers_of(migrated.catalog)
        with models_database(scratch, metadata, project.folder, extensions=extensions, helpers=helpers) as models:
            with connect(models, autocommit=True) as connection:
                said_there = read_catalog(connection)
            schemas = schemas_in(said_there)
            there = sides(migrated.catalog, said_there, schemas, others)
            with scratch.database(copy_of=migrated.conninfo) as proof:
                with connect(migrated.conninfo, autocommit=True) as connection:
                    found = propose(connection, there.models, schemas, answers, ask, others=others)
                drafts = drafts_of(place, found, purpose)
                left = [*found.left, *_prove(proof, settings, drafts, there.models, schemas, others, found.left)]
                opinion = [] if left else _opinion(proof, metadata, schemas, models, others, there)
    if left and drafts:
        last = found.parts[-1]
        drafts[-1] = _draft(place, drafts[-1].name, last, purpose, left)
    files = put(project, settings, place, drafts) if drafts else []
    return Written(tuple(files), tuple(left), there.unspoken, there.elsewhere, tuple(opinion))


def _opinion(
    proof: str, metadata: MetaData, schemas: set[str], models: str, others: frozenset[Key], there: Sides
) -> list[str]:
    unspoken = {key for key in others if key not in there.models} | set(there.unspoken)
    return second_opinion(proof, metadata, schemas, models=models, unspoken=unspoken)


def scripts_up_to(project: Project, settings: SchemaSettings) -> list[tuple[str, list[Script]]]:
    """Return the migrations of a schema and of those that the settings name before it, for it may rely on them."""
    found: list[tuple[str, list[Script]]] = []
    for one in project.settings.schemas:
        folder = project.folder / one.folder
        found.append((one.title, read_scripts(folder, one) if folder.is_dir() or one != settings else []))
        if one == settings:
            break
    return found


def helpers_of(catalog: Catalog) -> tuple[list[str], list[str]]:
    """Return what models may rely on and not make themselves: names of extensions, and what makes functions."""
    extensions = sorted(key.name for key in catalog if key.kind == "extension")
    kinds = {"function", "procedure"}
    return extensions, [str(one["definition"]) for key, one in sorted(catalog.items()) if key.kind in kinds]


def drafts_of(place: Place, found: Proposal, purpose: str | None) -> list[Draft]:
    """Return the texts of what is proposed."""
    endings = [one.words if len(found.parts) > 1 else "" for one in found.parts]
    return [
        _draft(place, name, part, purpose, ()) for name, part in zip(place.names(endings), found.parts, strict=True)
    ]


def _draft(place: Place, name: str, part: Part, purpose: str | None, left: Sequence[str]) -> Draft:
    remarks = [*part.reasons, *(f"Still different from the models: {one}" for one in left)]
    return draft(
        name,
        purpose=purpose,
        ticket=place.ticket,
        statements=[_with_note(one) for one in part.steps],
        rollback=part.rollback,
        reversible=part.reversible,
        remarks=remarks,
        transaction=part.transaction,
    )


def _with_note(step: Step) -> str:
    return step.sql if step.note is None else f"-- {' '.join(step.note.split())}\n{step.sql}"  # names may hold breaks


def _prove(
    conninfo: str,
    settings: SchemaSettings,
    drafts: Sequence[Draft],
    wanted: Catalog,
    schemas: set[str],
    others: frozenset[Key],
    told: Sequence[str],
) -> list[str]:
    """Apply what is to be written as it would be deployed; return what then differs, where nothing was told to."""
    for one in drafts:
        name = parse_name(one.name, settings.layout)
        assert name is not None  # noqa: S101  it was made by this form
        script = Script(name, sql_path(one.name, settings.layout), one.text, "", tuple(split(one.text)), one.rollback)
        with connect(conninfo, autocommit=True) as connection:
            apply_script(connection, script)
    if told:
        return []
    with connect(conninfo, autocommit=True) as connection:
        now = sides(read_catalog(connection), wanted, schemas, others).migrated
    return [sentence_of(one) for one in differences(now, wanted)]
