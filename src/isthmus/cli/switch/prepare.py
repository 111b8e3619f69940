"""`isthmus switch prepare`: the tables of switches, before applications ask for them."""

from __future__ import annotations

from typing import Annotated

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.switch.options import TargetOption, telling_trouble


def prepare(
    target: TargetOption,
    collections: Annotated[
        list[str] | None,
        typer.Argument(metavar="COLLECTION…", help="Collections that applications ask for.", show_default=False),
    ] = None,
    json_file: JsonOption = None,
) -> int:
    """Make the tables of switches, and enter collections as living in MongoDB. Safe to repeat; moves nothing.

    The JSON: outcome (prepared, failed), exit_code, collections.

    Exit codes: 0 done, 2 usage, 4 target: it leads to a pooler, or the role may not make the schema isthmus.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.output import plural, result_console, write_json
    from isthmus.connect.pooled import refuse_pooled
    from isthmus.connect.postgres import connect
    from isthmus.connect.target import open_target
    from isthmus.polyglot.switch.ledger import prepare as make

    names = list(dict.fromkeys(collections or []))
    with writing_refusals(json_file, failed_json):
        with open_target(target, create=True) as address, connect(address.conninfo, autocommit=True) as connection:
            refuse_pooled(connection, address.conninfo)
            with telling_trouble("make the tables of switches"):
                make(connection, *names)
        console = result_console(json_file)
        console.print(f"The tables of switches are there, with {plural(len(names), 'collection')}.", markup=False)
        write_json({"outcome": "prepared", "exit_code": 0, "collections": names}, json_file)
    return 0
