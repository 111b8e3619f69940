"""Refuse to deploy beside another runner: Isthmus is the only one, or none."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from isthmus.errors import GovernError
from isthmus.govern.adopting.foreign import TITLES, all_foreign, reread
from isthmus.govern.migrations.script import Script
from isthmus.state.schema_words import Adoption, read_adoption


def refuse_foreign(connection: psycopg.Connection, title: str, scripts: Sequence[Script]) -> None:
    """Refuse to deploy where another runner does.

    Args:
        connection: In autocommit mode.
        title: What the settings call the schema.
        scripts: Its migrations.

    Raises:
        GovernError: It applied something since its history was adopted (code `history-grew`), or its history tells of
            these migrations and was never adopted (`not-adopted`).
    """
    adoption = read_adoption(connection, title)
    if adoption is not None:
        _refuse_growth(connection, adoption)
    else:
        _refuse_unadopted(connection, title, scripts)


def _refuse_growth(connection: psycopg.Connection, adoption: Adoption) -> None:
    foreign = reread(connection, adoption)
    new = [one for one in foreign.entries if one.id not in adoption.known] if foreign is not None else []
    if new:
        runner = TITLES[adoption.runner]
        names = ", ".join(one.name or f"hash {one.checksum[:12]}" for one in new)
        raise GovernError(
            f"{runner} applied something since its history {adoption.schema}.{adoption.table} was adopted: {names}.",
            code="history-grew",
            hint=f"Let nothing but isthmus deploy: take {runner} out of the deployment. Then isthmus schema adopt takes"
            " over what it applied.",
        )


def _refuse_unadopted(connection: psycopg.Connection, title: str, scripts: Sequence[Script]) -> None:
    names = {script.name.text for script in scripts}
    for one in all_foreign(connection):
        hashes = {entry.checksum for entry in one.entries}
        # Prisma's names hold an instant; one such as 0000_init may be that of another project in this database
        named = {entry.name for entry in one.entries} & names if one.runner == "prisma" else ()
        if named or any(script.is_text_of(checksum) for script in scripts for checksum in hashes):
            raise GovernError(
                f"{TITLES[one.runner]} applied migrations of {title} to this database ({one.schema}.{one.table}); "
                "nothing was applied.",
                code="not-adopted",
                hint="isthmus schema adopt takes its history over; from then on isthmus is the only one that deploys.",
            )
