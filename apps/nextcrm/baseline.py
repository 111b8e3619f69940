"""Write the first migration of NextCRM's schema: the tables that the mapping asks for, and what drops them again.

    python -m apps.nextcrm.baseline

The mapping is the source of this migration until a database has it. From then on a change of the tables is a migration
of its own, and this command refuses.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from isthmus.cli.output import show_error
from isthmus.errors import GovernError, IsthmusError, Where
from isthmus.govern.migrations.script import read_scripts
from isthmus.govern.rehearsing.keep import keep
from isthmus.govern.rehearsing.outcome import REFUSED, Outcome
from isthmus.govern.rehearsing.rehearse import parts_of, rehearse
from isthmus.govern.scratch import scratch_server
from isthmus.govern.settings import Project, SchemaSettings, find_project
from isthmus.govern.writing.draft import Draft, draft
from isthmus.mapping import load_mapping
from isthmus.mapping.ddl import create_schema_sql, qualified, render
from isthmus.mapping.names import quote_identifier
from isthmus.mapping.search import ARRAY_TEXT
from isthmus.mapping.tables import TargetSchema, build_schema

HOME = Path(__file__).parent
MAPPING = HOME / "mapping.yaml"
NAME = "20260101000000_baseline"
PURPOSE = "the tables of NextCRM, with their keys and indexes, before any row is there"
REMARK = (
    "Written by python -m apps.nextcrm.baseline from mapping.yaml, as isthmus ddl prints it. The rollback drops every"
    " table with its rows, and the extensions: leave those out there that were in the database before."
)


def baseline(mapping: Path = MAPPING) -> Draft:
    """Return the migration of a mapping, with its rollback. Reads the mapping and nothing else.

    Raises:
        MappingError: The mapping is wrong.
    """
    schema = build_schema(load_mapping(mapping))
    there = f"{create_schema_sql(schema)};\n"  # public, which every database has
    return draft(
        NAME,
        purpose=PURPOSE,
        ticket="N/A",
        statements=[render(schema).removeprefix(there)],
        rollback=_undone(schema),
        reversible="Yes",
        remarks=[REMARK],
    )


def _undone(schema: TargetSchema) -> list[str]:
    tables = ",\n".join(f"  {qualified(schema, name)}" for name in schema.tables)
    undone = [f"DROP TABLE\n{tables}"]
    if schema.functions:
        undone.append(f"DROP FUNCTION {qualified(schema, ARRAY_TEXT)}")
    undone += [f"DROP TYPE {qualified(schema, name)}" for name in schema.enums]
    return undone + [f"DROP EXTENSION IF EXISTS {quote_identifier(name)}" for name in schema.extensions]


def write(project: Project) -> list[Path]:
    """Write the migration, rehearse it on a scratch server, and write `schema.json`; return the files.

    Raises:
        IsthmusError: There are later migrations (code `baseline-behind`), the rollback does not restore what was there
            (`not-restored`), or the mapping, the settings or the scratch server cannot be used.
    """
    (settings,) = project.settings.schemas
    folder = project.folder / settings.folder
    _refuse_later(folder, settings)
    made = baseline()
    place = folder / made.name
    place.mkdir(parents=True, exist_ok=True)
    texts = {"migration.sql": made.text, "rollback.sql": made.rollback or ""}
    for name, text in texts.items():
        (place / name).write_text(text, encoding="utf-8")
    parts = parts_of(project, [])
    outcomes: list[Outcome] = []
    with scratch_server() as server:
        rehearsed = rehearse(parts, server, tell=outcomes.append)
    wrong = [said.sentence for one in outcomes if one.stand in REFUSED for said in one.said]
    if wrong:
        raise GovernError("\n".join(wrong), code="not-restored", where=Where(file=str(place / "rollback.sql")))
    kept = keep(parts, rehearsed.schema_json, write=True)
    return [*(place / name for name in texts), *(Path(one.file) for one in kept)]


def _refuse_later(folder: Path, settings: SchemaSettings) -> None:
    later = (
        [one.name.text for one in read_scripts(folder, settings) if one.name.text != NAME] if folder.exists() else []
    )
    if later:
        raise GovernError(
            f"{NAME} is not the only migration any more: {', '.join(later)}.",
            code="baseline-behind",
            where=Where(file=str(folder)),
            hint="Write what changed as a migration of its own: isthmus schema new.",
        )


def main(arguments: list[str] | None = None) -> int:
    """Write the files and name them; returns the exit code of the fault where one stops it."""
    argparse.ArgumentParser(
        prog="python -m apps.nextcrm.baseline",
        description="Write the first migration of NextCRM's schema from mapping.yaml, over the one that is there:"
        " migration.sql, rollback.sql, and what its rehearsal records.",
        epilog="Exit codes: 0 written; 2 wrong arguments, mapping or settings; 4 the server for the rehearsal;"
        " 5 there are later migrations, or the rollback does not restore what was there.",
    ).parse_args(arguments)
    try:
        written = write(find_project(HOME))
    except IsthmusError as fault:
        show_error(fault)
        return fault.exit_code
    sys.stderr.write("".join(f"{path}\n" for path in written))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
