"""Collections that are in MongoDB again though they were retired: what they hold, beside what was exported of them.

An application that still writes makes its collection anew once it is put aside or dropped; a person brings one back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from isthmus.connect.mongo import MongoServer
from isthmus.errors import ConfigError
from isthmus.polyglot.rewrite.documents import document
from isthmus.state.source_ids import value_of
from isthmus.work.amounts import plural

from .contents import contents_of, in_file, on_server
from .exporting import read_again
from .leaving_out import LeavingOut, as_it_is, left_out
from .live_references import Documents, key_of
from .retirements import Retirement

_TOGETHER = 500


@dataclass(frozen=True)
class Returned:
    """A collection that is there again.

    Attributes:
        collection: Its name.
        documents: How many it has.
        lacking: How many of those that were exported it has not; None where the export cannot be read.
        without: How many values of secret fields its documents lack: they came from an export without.
        is_as_exported: Whether it holds what was exported, and nothing else.
        is_new: Whether there was none when its phase was retired.
    """

    collection: str
    documents: int
    lacking: int | None
    without: int = 0
    is_as_exported: bool = False
    is_new: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the phase can go on with it: nothing of what was carried is missing."""
        return self.lacking == 0 and not self.without

    @property
    def told(self) -> str:
        """What is to be said of it, a sentence."""
        name, count = self.collection, plural(self.documents, "document")
        if self.is_new:
            return f"{name}: it was not there when its phase was retired, and is now: {count}, which nobody carried."
        if self.lacking is None:
            return f"{name}: it is there again, with {count}; its export cannot be read, so which are new is not known."
        if self.lacking:
            return (
                f"{name}: somebody has made it anew since it was retired: {count}, which nobody carried;"
                f" {self.lacking:,} of those that were exported are not there."
            )
        if self.without:
            return f"{name}: it is there again from an export that lacks {plural(self.without, 'secret value')}."
        return f"{name}: it is there again, with all that was exported and more or other documents: {self.documents:,}."


def look_at(server: MongoServer, database: str, collection: str, before: Retirement, leaving: LeavingOut) -> Returned:
    """Compare a collection that is there again with its export.

    Args:
        server: Where it is.
        database: Its database.
        collection: Its name.
        before: What is known of its retirement.
        leaving: Takes out of documents what may stand in no export.

    Raises:
        SourceError: The server does not give it.
    """
    export, without = None, 0
    if before.file is not None:
        with suppress(ConfigError):
            export = read_again(before.file)
    change = leaving.of(collection) if export is not None and export.left_out else as_it_is

    def changed() -> Iterator[bytes]:
        nonlocal without
        for raw in on_server(server, database, collection):
            without += left_out(raw)
            yield change(raw)

    contents = contents_of(changed())
    if before.file is None:  # it was not there when its phase was retired, so nothing of it was carried
        return Returned(collection, contents.documents, 0, is_new=True)
    if export is None or export.sha256 != before.sha256:
        return Returned(collection, contents.documents, None, without)
    if contents == export.contents:
        return Returned(collection, contents.documents, 0, without, is_as_exported=True)
    there = Documents(server, database, [collection])
    ids, lacking = _ids(export.file), 0
    while together := list(islice(ids, _TOGETHER)):
        found = there.of([together])
        lacking += sum(key_of(one) not in found for one in together)
    return Returned(collection, contents.documents, lacking, without)


def _ids(file: Path) -> Iterator[object]:
    for raw in in_file(file):
        yield value_of(document(raw).source_id)
