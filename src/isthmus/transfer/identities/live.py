"""The live map of a copy: made and committed before any document is loaded, or refused with all that is open."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import psycopg

from isthmus.errors import ConfigError
from isthmus.mapping import Mapping
from isthmus.mapping.resolutions import Resolutions
from isthmus.state.identities import read_maps
from isthmus.transfer.identities.finding import find_out
from isthmus.transfer.identities.found import Found
from isthmus.transfer.identities.keeping import ask, keep, set_aside, take_back
from isthmus.transfer.identities.reading import Reading
from isthmus.work.amounts import plural
from isthmus.work.progress import Progress
from isthmus.work.stages import reached


class Told(Progress):
    """Progress of a reading that is one step of another work: it tells that one how far it is.

    Args:
        outer: The other one.
    """

    def __init__(self, outer: Progress) -> None:
        super().__init__(on_note=outer.note)
        self._outer = outer
        self._read = 0

    def step(self, step: str) -> None:
        """Begin a step of the other work."""
        self._outer.step(step)

    def batch(self, collection: str, *, bytes_done: int, documents: int, dead_letters: int) -> None:
        """Tell how many documents were read."""
        super().batch(collection, bytes_done=bytes_done, documents=documents, dead_letters=dead_letters)
        with self._mutex:
            self._read += documents
            read = self._read
        self._outer.step(f"{read:,} documents read")


def concerned(mapping: Mapping, collections: Collection[str]) -> list[str]:
    """Return the identities that some source collections are a part of, as members or linked."""
    return [
        name
        for name, identity in mapping.identities.items()
        if any(source.collection in collections for source in identity.sources)
    ]


def find_live(
    reading: Reading, names: Sequence[str], resolutions: Resolutions, connection: psycopg.Connection
) -> list[Found]:
    """Find out who is one with whom; it stands in temporary tables of the session until `keep_live`.

    Args:
        reading: What to read, and how.
        names: The identities that are found out anew.
        resolutions: The answers of people.
        connection: Autocommit connection of the holder of the run lease.

    Raises:
        ConfigError: A person must say something first (code `identity-conflicts`); no map was changed.
        Interrupted, SourceError, psycopg.Error: As `finding.find_out`.
    """
    found: list[Found] = []
    for number, name in enumerate(names):
        found.append(find_out(reading, name, resolutions, connection))
        set_aside(connection, number)
    for one in found:
        for note in one.notes:
            reading.progress.note(note)
    if any(one.open for one in found):
        with connection.transaction():
            for one in found:
                ask(connection, one)
        raise refusal(found, resolutions)
    return found


def keep_live(found: Sequence[Found], source_name: str, connection: psycopg.Connection) -> None:
    """Make what `find_live` found out what copies go by; other identities stay as they are.

    All maps change in one transaction, or none.
    """
    reached("identities.before-commit")
    with connection.transaction():
        for number, one in enumerate(found):
            take_back(connection, number)
            keep(connection, one, "live", source_name)
    reached("identities.after-commit")


def refusal(found: Sequence[Found], resolutions: Resolutions) -> ConfigError:
    """Return the error that names every conflict."""
    return ConfigError(
        f"Who is one with whom is not clear: {plural(sum(one.open for one in found), 'conflict')} must be answered"
        " first.",
        code="identity-conflicts",
        hint="`isthmus identities plan` with the same mapping, source and target shows the lines that answer them;"
        f" write them into {resolutions.file_name}. No document was carried.",
        problems=tuple(conflict.problem() for one in found for conflict in one.conflicts),
    )


def refuse_other_answers(
    connection: psycopg.Connection, names: Collection[str], resolutions: Resolutions, run: int
) -> None:
    """Raise unless the answers are those that the live maps of a run were made with.

    Raises:
        ConfigError: They are others (code `other-answers`).
    """
    kept = {one.name: one.answers_digest for one in read_maps(connection) if one.mode == "live"}
    for name in names:
        if name in kept and kept[name] != resolutions.digest(name):
            raise ConfigError(
                f"Run {run} began with other answers about {name} than those in {resolutions.file_name}.",
                code="other-answers",
                hint="Put back the answers that it began with, or start over with --fresh.",
            )
