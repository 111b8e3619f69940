"""`isthmus refs check`: whether the typed references of documents lead to keys of tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.schema.options import SchemaOption

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.errors import Problem
    from isthmus.govern.findings import Finding
    from isthmus.govern.settings import Project, SchemaSettings
    from isthmus.polyglot.references.check import CheckedReferences


def check(
    modules: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODULE]…",
            help="Modules with document models, or MODULE:CLASS; else documents of the settings.",
        ),
    ] = None,
    schema: SchemaOption = None,
    json_file: JsonOption = None,
) -> int:
    """Check that every typed reference of document models leads to a key, and has its type and its form.

    References stand in the types of fields, Annotated[str, PgRef["users.id"]], at any depth: pydantic's models,
    dataclasses, typed dictionaries, named tuples, attrs. The tables are those of models in the settings (isthmus.toml
    or pyproject.toml), SQLAlchemy's metadata. The project's modules are imported; no database is asked. All findings
    are told at once, each with file and line of the field.

    The JSON: outcome (passed, refused), exit_code, and schemas: of each models (how many were looked at), references
    (field, file, line, refers_to, type, form), findings and notes.

    Exit codes: 0 every reference leads to a key, 2 the settings or modules cannot be used, or there is no reference,
    5 a reference is refused.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import say_nothing_was_committed
    from isthmus.cli.output import result_console, write_json
    from isthmus.cli.refs.documents import load_documents
    from isthmus.errors import ConfigError
    from isthmus.govern.models.loading import load_metadata
    from isthmus.govern.settings import find_project
    from isthmus.polyglot.references.check import check_references

    say_nothing_was_committed()
    with writing_refusals(json_file, failed_json):
        project = find_project(Path.cwd())
        checked: dict[str, CheckedReferences] = {}
        for settings, named in _chosen(project, modules or [], schema):
            metadata = load_metadata(project, settings)
            checked[settings.title] = check_references(load_documents(project, named), metadata, project.folder)
        for title, one in checked.items():
            if not one.uses and not one.problems:
                raise ConfigError(
                    f"No reference to the tables of {title} was found in {one.models:,} classes.",
                    code="no-references",
                    hint='They are written Annotated[str, PgRef["users.id"]].',
                )
        _show(result_console(json_file), checked)
        code = 5 if any(one.problems for one in checked.values()) else 0
        write_json(
            {
                "outcome": "refused" if code else "passed",
                "exit_code": code,
                "schemas": {title: _as_json(one) for title, one in checked.items()},
            },
            json_file,
        )
    return code


def _chosen(project: Project, modules: list[str], schema: str | None) -> list[tuple[SchemaSettings, list[str]]]:
    """Return the schemas to check against, each with the modules that refer to it.

    Raises:
        ConfigError: No module is named (code `no-documents`), or it is not clear which tables are meant.
    """
    from isthmus.cli.schema.options import only_schema
    from isthmus.errors import ConfigError, Where

    if modules:
        return [(only_schema(project, schema), modules)]
    chosen = project.settings.chosen([schema] if schema is not None else [], project.file)
    found = [(one, list(one.documents)) for one in chosen if one.documents]
    if not found:
        raise ConfigError(
            "Nothing says which modules have document models.",
            code="no-documents",
            where=Where(file=str(project.file)),
            hint='Write documents = ["shop.documents"] below models into [schema], or name them behind the command.',
        )
    return found


def _as_json(one: CheckedReferences) -> dict[str, Any]:
    return {
        "models": one.models,
        "references": one.listed(),
        "findings": [{**_finding(it).as_json(), "field": it.where.path} for it in one.problems],
        "notes": [{"file": where.file, "line": where.line, "field": where.path, "note": it} for where, it in one.notes],
    }


def _finding(problem: Problem) -> Finding:
    from isthmus.govern.findings import Finding

    where = problem.where
    message = problem.message if problem.code == "pg-ref-unread" else f"{where.path} → {problem.message}"
    return Finding(_short(where.file), where.line or 0, problem.code, message, problem.hint or "")


def _short(file: str | None) -> str:
    """Return a file as it is named from where the command runs."""
    if file is None:
        return "(no file)"
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _show(console: Console, checked: dict[str, CheckedReferences]) -> None:
    from isthmus.cli.output import err, plural, show_note
    from isthmus.cli.rule_findings import counted, show_findings

    for title, one in checked.items():
        findings = [_finding(it) for it in one.problems]
        show_findings(console, findings)
        for where, note in one.notes:
            show_note(err, f"{_short(where.file)}:{where.line}: {note}")
        models = plural(one.models, "class", "classes")
        if findings:
            console.print(counted(findings), markup=False)
        else:
            leads = "it leads" if len(one.uses) == 1 else "each leads"
            console.print(
                f"{plural(len(one.uses), 'reference')} in {models}: {leads} to a key of {title}.",
                markup=False,
                soft_wrap=True,
            )
