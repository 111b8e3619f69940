"""Who is one with whom, before a copy carries anything: found out, or as the run knows it that it goes on with."""

from __future__ import annotations

import psycopg

from isthmus.mapping.plan import compile_plans
from isthmus.mapping.references import as_loaded
from isthmus.sources.reading import Options as ReadingOptions
from isthmus.state.identities import load_things
from isthmus.state.runs import Run
from isthmus.transfer.beginning.task import Task
from isthmus.transfer.existing.fit import Existing
from isthmus.transfer.existing.preflight import read_existing
from isthmus.transfer.identities.found import Found
from isthmus.transfer.identities.live import Told, concerned, find_live, keep_live, refuse_other_answers
from isthmus.transfer.identities.reading import Reading


def find_things(task: Task, connection: psycopg.Connection, key: bytes) -> list[Found]:
    """Find out who is one with whom, where the copy carries any such document; `go_by_things` keeps it.

    Raises:
        ConfigError: A person must say something first (code `identity-conflicts`); no map was changed.
        Interrupted, SourceError, psycopg.Error: As `identities.finding.find_out`.
    """
    names = concerned(task.mapping, task.plans) if _is_open(task) else []
    if not names:
        return []
    task.progress.stage("identities")
    options = ReadingOptions(workers=min(2, task.options.workers), retry_seconds=task.options.retry_seconds)
    plans = compile_plans(as_loaded(task.mapping))
    reading = Reading(task.mapping, plans, task.source, key, options, Told(task.progress), task.stop)
    return find_live(reading, names, task.options.resolutions, connection)


def go_by_things(
    task: Task, connection: psycopg.Connection, found: list[Found], existing: Existing | None
) -> tuple[Task, Existing | None]:
    """Make what was found out what copies go by, this one first; of other identities the maps stay as they are."""
    if not _is_open(task):
        return task, existing
    if found:
        keep_live(found, task.source.name, connection)
    task = task.carrying(load_things(connection, task.mapping))
    if existing is not None:  # what is staged has a column more
        existing, _ = read_existing(connection, task.schema)
    return task, existing


def _is_open(task: Task) -> bool:
    """Tell whether the mapping has identities, and nobody has said yet what they came to."""
    return bool(task.mapping.identities) and task.mapping.things is None


def recalled(task: Task, connection: psycopg.Connection, known: Run) -> Task:
    """Go by the maps that the run began with; where it began with another mapping, that is told later.

    Raises:
        ConfigError: The answers of people are others than they were then (code `other-answers`).
    """
    if not task.mapping.identities or task.mapping.fingerprint in known.fingerprints:
        return task
    carried = task.carrying(load_things(connection, task.mapping))
    if carried.mapping.fingerprint in known.fingerprints:
        names = concerned(task.mapping, task.plans)
        refuse_other_answers(connection, names, task.options.resolutions, known.id)
    return carried
