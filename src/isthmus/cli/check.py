"""`isthmus check`: hold a mapping against itself, a source and a target. Writes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from isthmus.cli.options import DatabaseOption, MappingArgument


def check(
    mapping: MappingArgument,
    source: Annotated[
        str | None, typer.Option("--source", "-s", metavar="SOURCE", help="Also hold it against this source.")
    ] = None,
    db: DatabaseOption = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", metavar="TARGET", help="Also hold it against this target.")
    ] = None,
) -> None:
    """Check a mapping, and how it fits a source and a target. Writes nothing.

    Exit codes: 0 no contradiction, 2 the mapping, 3 the source, 4 the target stands against it.
    """
    from isthmus.cli.output import err, out
    from isthmus.connect.postgres import connect
    from isthmus.connect.target import open_target
    from isthmus.mapping import load_mapping
    from isthmus.mapping.plan import compile_plans
    from isthmus.mapping.tables import build_schema
    from isthmus.sources import open_source
    from isthmus.transfer.preflight import Finding, check_server, check_source, check_target, raise_findings

    checked = load_mapping(mapping)
    schema = build_schema(checked)
    plans = compile_plans(checked)
    findings: list[Finding] = []
    if source is not None:
        opened = open_source(source, database=db)
        try:
            findings += check_source(checked, opened)
        finally:
            opened.close()
    if target is not None:
        address = open_target(target)
        try:
            with connect(address.conninfo, autocommit=True) as connection:
                findings += check_server(connection) + check_target(connection, schema, checked)
        finally:
            address.close()
    for finding in findings:
        if finding.severity is None:
            err.print(f"note: {finding.problem}", markup=False)
    raise_findings(findings)
    held = [word for word, given in (("source", source), ("target", target)) if given is not None]
    out.print(
        f"{mapping.name}: {len(plans)} collections become {len(schema.tables)} tables"
        f" ({sum(t.kind == 'root' for t in schema.tables.values())} root,"
        f" {sum(t.kind == 'child' for t in schema.tables.values())} child,"
        f" {sum(t.kind == 'junction' for t in schema.tables.values())} junction)."
        + (f" Nothing in the {' and the '.join(held)} stands against it." if held else ""),
        markup=False,
    )
