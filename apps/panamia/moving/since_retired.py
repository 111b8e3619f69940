"""What is to be seen of retired phases besides the ledger: what MongoDB has of them again, and how one is ended."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg

from isthmus.connect.mongo import MongoServer, open_server
from isthmus.errors import ConfigError, SourceError
from isthmus.mapping import Mapping as MappingModel

from .carried_from import differs, run_of
from .leaving_out import names_secrets
from .phases import Standing
from .retirements import Retirement, manifest, read_retirements

_PATIENCE_SECONDS = 2.0


def seen_now(
    standings: Mapping[int, Standing],
    source: str | None,
    connection: psycopg.Connection,
    mapping: MappingModel,
    note: Callable[[str], None],
) -> dict[int, Standing]:
    """Return how the phases stand, of retired ones with what a server has of them now. Writes nothing.

    The server is asked once, for names alone, and only where something is retired.

    Args:
        standings: As the target tells it.
        source: Where documents are; None, or a dump, is not asked.
        connection: To the target.
        mapping: Says which collections have secret fields.
        note: Told why it is not known what is there, a sentence.
    """
    gone = {number: one for number, one in standings.items() if one.retired}
    recorded = read_retirements(connection) if gone else {}
    there = _names(gone, source, connection, note) if any(one.dropped for one in gone.values()) else None
    more = {
        number: replace(
            one,
            returned=None if there is None or number not in there else _again(one, there[number]),
            goes_on=going_on(one, recorded, mapping),
        )
        for number, one in gone.items()
    }
    return {**standings, **more}


def _again(standing: Standing, there: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in standing.collections if name in standing.dropped and name in there)


def going_on(standing: Standing, recorded: Mapping[str, Retirement], mapping: MappingModel) -> str:
    """Return the options with which `retire` ends what it has begun, or begins it: as a shell takes them.

    Args:
        standing: The phase.
        recorded: What is known of retired collections; where one of the phase was exported before, the others go to
            the same folder, and with their secrets where that one has them.
        mapping: Says which collections have secret fields.
    """
    before = [recorded[name].folder for name in standing.collections if name in recorded]
    folder = next((one for one in reversed(before) if one is not None), None)
    if folder is None:
        return "--live --export FOLDER"
    secret = any(names_secrets(mapping, name) for name in standing.collections)
    clear = secret and _lacks_nothing(manifest(folder, standing.phase.number))
    return f"--live --export {shlex.quote(str(folder))}{' --with-secrets' if clear else ''}"


def _lacks_nothing(list_of_exports: Path) -> bool:
    """Tell whether a list of exports says of every one that no secret was left out; False where it cannot be read."""
    try:
        exports: Iterable[dict[str, int]] = json.loads(list_of_exports.read_bytes())["collections"].values()
        return not any(one.get("secret_values_left_out", 0) for one in exports)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _names(
    gone: Mapping[int, Standing], source: str | None, connection: psycopg.Connection, note: Callable[[str], None]
) -> dict[int, set[str]] | None:
    """Return the collections that are there, by phase; without those that were carried from another database."""
    if source is None or not source.startswith("mongodb"):
        return None
    try:
        with closing(open_server(source, patience_seconds=_PATIENCE_SECONDS)) as server:
            database, names = server.database, _listed(server)
    except (ConfigError, SourceError) as fault:
        note(f"Whether MongoDB has a retired collection again is not known. {fault}")
        return None
    found: dict[int, set[str]] = {}
    for number, one in gone.items():
        why = differs(run_of(connection, one), database) if database is not None else "it names no database"
        if why is None:
            found[number] = names
        else:
            note(
                f"Whether MongoDB has a collection of phase {number} again is not known: another one is named ({why})."
            )
    return found


def _listed(server: MongoServer) -> set[str]:
    database = server.database
    if database is None:
        return set()
    return set(server.ask("list its collections", server.client[database].list_collection_names))
