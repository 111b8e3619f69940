"""Refuse to apply everything once more where only the name of a schema was changed in the settings."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

import psycopg

from isthmus.errors import GovernError
from isthmus.govern.migrations.script import Script
from isthmus.state.schema_history import read_all_applied
from isthmus.work.amounts import plural


def refuse_renamed(
    connection: psycopg.Connection, title: str, scripts: Sequence[Script], titles: Collection[str]
) -> None:
    """Refuse a schema without a history whose migrations were all applied under a name that is in use no more.

    Args:
        connection: In autocommit mode.
        title: What the settings call the schema.
        scripts: Its migrations.
        titles: What the settings call all schemas.

    Raises:
        GovernError: They were (code `schema-renamed`).
    """
    others = read_all_applied(connection)
    if title in others:
        return
    known = {one.name.text: one for one in scripts}
    for other, applied in others.items():
        if other not in titles and all(
            name in known and known[name].is_text_of(checksum) for name, checksum in applied.items()
        ):
            raise GovernError(
                f"This database has {plural(len(applied), 'migration')} of {title} under the name {other}; nothing was"
                " applied.",
                code="schema-renamed",
                hint=f"Keep that name: name = {json.dumps(other, ensure_ascii=False)} beside the folder in the"
                " settings. Where it is another project's history, let a comment in a migration tell the texts apart.",
            )
