"""Find out of one identity who is one with whom: read, connect in the server, decide what is not plain.

Everything stands in temporary tables of one session until `keep` writes it; in memory is one component that is not
plain at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Generator, Iterator
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, cast

import psycopg

from isthmus._rust import IdCodec
from isthmus.connect.postgres import first_number
from isthmus.mapping.identities import Identity
from isthmus.mapping.resolutions import AnsweredDocument, Resolutions
from isthmus.state import source_ids
from isthmus.state.statements import statements
from isthmus.transfer.identities.conflicts import Asking
from isthmus.transfer.identities.deciding import decide
from isthmus.transfer.identities.documents import Document, Finding, Placed, Said
from isthmus.transfer.identities.found import Found
from isthmus.transfer.identities.keeping import execute, forget
from isthmus.transfer.identities.reading import PACKAGE, Reading, read_documents, schemes
from isthmus.transfer.identities.values import derive_own, storable
from isthmus.transfer.joining.components import find_components
from isthmus.work.amounts import plural
from isthmus.work.interrupted import Interrupted

MOST_TOGETHER = 500
"""Documents of a component that are looked at one by one; what is larger is no thing, but a bad key."""
_SHOWN_OF_HUGE = 20
_PAGE = 2_000
_WORK_MEM = "64MB"


def rules_digest(identity: Identity) -> str:
    """SHA-256, hex, of an identity in the mapping."""
    return hashlib.sha256(json.dumps(identity.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def find_out(reading: Reading, name: str, resolutions: Resolutions, connection: psycopg.Connection) -> Found:
    """Find out who is one with whom; what was found stands in temporary tables of the session, for `keep`.

    Args:
        reading: What to read, and how.
        name: Of the identity.
        resolutions: The answers of people.
        connection: Autocommit connection to a target with state.

    Raises:
        Interrupted: The user asked to stop.
        SourceError: The source cannot be read to its end.
        psycopg.Error: The server failed; nothing was kept.
    """
    return _Search(reading, name, resolutions, connection).run()


@contextlib.contextmanager
def roomy(connection: psycopg.Connection) -> Generator[None]:
    """Let the session sort and hash in memory what would go through files otherwise, for as long as this lasts."""
    ((before,),) = connection.execute("SELECT current_setting('work_mem')").fetchall()
    connection.execute("SELECT set_config('work_mem', %s, false)", (_WORK_MEM,))
    try:
        yield
    finally:
        with contextlib.suppress(psycopg.Error):
            connection.execute("SELECT set_config('work_mem', %s, false)", (before,))


class _Search:
    """One identity's search."""

    def __init__(self, reading: Reading, name: str, resolutions: Resolutions, connection: psycopg.Connection) -> None:
        self._reading = reading
        self._name = name
        self._identity = reading.mapping.identities[name]
        self._answers = resolutions.of(name)
        self._connection = connection
        table = reading.mapping.collections[
            reading.mapping.flows_of(self._identity.members[0].collection)[0].entry
        ].table
        self._asking = Asking(name, self._identity, table, resolutions)
        self._collections = [source.collection for source in self._identity.sources]
        self._values: dict[str, Any] = {
            "name": name,
            "collections": self._collections,
            "members": len(self._identity.members),
            "most": MOST_TOGETHER,
            "shown": _SHOWN_OF_HUGE,
        }
        self._said: list[Said] = []
        self._seen: set[int] = set()
        self._idle: set[int] = set()
        self.found = Found(name, rules_digest(self._identity), resolutions.digest(name))

    def run(self) -> Found:
        forget(self._connection)
        with roomy(self._connection):
            return self._run()

    def _run(self) -> Found:
        step = self._reading.progress.step
        execute(self._connection, "lay_out")
        step(f"{self._name}: reading")
        read = read_documents(self._reading, self._identity, self._connection)
        for collection, count in sorted(read.unreadable.items()):
            self.found.notes.append(
                f"{plural(count, 'document')} of {collection} cannot be read or have no _id, and are part of nothing."
            )
        step(f"{self._name}: looking who is one with whom")
        for name in ("take_keys", "index_documents", "know_listed"):
            self._do(name)
        self._do("add_known", last=read.last, read=read.parts)
        self._take_answers()
        for name in ("take_dropped_out", "follow_links", "connect"):
            self._do(name)
        find_components(self._connection)
        for name in ("flag", "find_mixed", "settle_plain"):
            self._do(name)
        if first_number(self._connection.execute("SELECT count(*) FROM pg_temp.thing_mixed")):
            self._do("index_lists")
            self._settle_mixed()
            self._do("leave_huge_open")
        self._tell_idle()
        self._do("put_together")
        self._count(read.parts)
        return self.found

    def _do(self, name: str, **values: Any) -> None:
        if self._reading.stop.is_set():
            raise Interrupted
        execute(self._connection, name, {**self._values, **values})

    def _take_answers(self) -> None:
        """Look up the documents that answers name, and lay down what they say."""
        ways = schemes(self._reading.mapping, self._identity)
        codec = IdCodec(self._reading.key)
        dropped: list[tuple[int, str]] = []
        for number, answer in enumerate(self._answers):
            nodes: list[int] = []
            lost = False
            for document in answer.documents:
                part = self._collections.index(document.collection)
                meanings = source_ids.parse(document.id)
                own = [derive_own(codec, document.collection, one, ways[part]) for one in meanings]
                own += [storable(document.id)]
                node = self._node(number, document, part, meanings, own)
                lost = lost or node is None
                nodes += [] if node is None else [node]
            if answer.kind == "drop":
                dropped += [(node, answer.reason) for node in nodes]
            elif len(nodes) > 1 and not lost:
                self._said.append(Said(number, answer.kind == "same", tuple(nodes)))
        with self._connection.cursor() as cursor:
            cursor.executemany("INSERT INTO pg_temp.thing_dropped VALUES (%s, %s)", dropped)
            pairs = [(one.documents[0], other) for one in self._said if one.same for other in one.documents[1:]]
            cursor.executemany("INSERT INTO pg_temp.thing_same VALUES (%s, %s)", pairs)
            named = [(node,) for one in self._said for node in one.documents]
            cursor.executemany("INSERT INTO pg_temp.thing_named VALUES (%s)", named)

    def _node(
        self, number: int, document: AnsweredDocument, part: int, meanings: list[bytes], own: list[str]
    ) -> int | None:
        """Return the number of a document that an answer names; None where there is none, which is told."""
        values = {**self._values, "part": part, "source_ids": meanings, "own_ids": own}
        texts = statements("things", PACKAGE)
        row = self._connection.execute(texts["find_named"], values).fetchone()
        if row is not None:
            return int(row[0])
        known = self._connection.execute(texts["is_known"], {**values, "collection": document.collection}).fetchone()
        line = self._answers[number].where.line
        if known is not None and known[0]:
            self.found.notes.append(f"The answer in line {line} names {document}, which is no longer in the source.")
        else:
            id_ = self._asking.missing_id(document)
            self.found.ask("no-such-document", id_, partial(self._asking.missing, number, document))
        return None

    def _settle_mixed(self) -> None:
        """Decide of the components that are not plain."""
        of_node: dict[int, list[Said]] = {}
        for one in self._said:
            for node in one.documents:
                of_node.setdefault(node, []).append(one)
        with self._connection.transaction():
            settled: list[tuple[int, Placed]] = []
            for count, documents in self._mixed():
                if self._reading.stop.is_set():
                    raise Interrupted
                if count > MOST_TOGETHER:
                    finding = Finding("huge", tuple(one.number for one in documents))
                    of = {one.number: one for one in documents}
                    self._ask(finding, of, count)
                    continue
                of = {one.number: one for one in documents}
                about = dict.fromkeys(said for node in of for said in of_node.get(node, ()))
                said = [one for one in about if all(node in of for node in one.documents)]
                self._seen |= {one.number for one in said}
                decision = decide(documents, said, len(self._identity.members))
                self._idle |= set(decision.idle)
                for one in decision.findings:
                    self._ask(one, of)
                settled += decision.placed.items()
                if len(settled) >= _PAGE:
                    self._settle(settled)
                    settled = []
            self._settle(settled)

    def _ask(self, finding: Finding, documents: dict[int, Document], count: int | None = None) -> None:
        id_ = self._asking.id_of(finding, documents)
        self.found.ask(finding.kind, id_, partial(self._asking.conflict, finding, documents, count))

    def _tell_idle(self) -> None:
        """Note which answers say nothing any more."""
        idle = self._idle | {one.number for one in self._said if one.number not in self._seen and not one.same}
        if idle:
            self.found.notes.append(
                f"What is answered in {self._asking.lines(idle)} of {self._asking.resolutions.file_name} says nothing"
                " any more: without it it would come to the same."
            )

    def _mixed(self) -> Iterator[tuple[int, list[Document]]]:
        """Yield each component that is not plain: how many documents it has, and all or the first of them."""
        with self._connection.cursor(name="isthmus_mixed") as cursor:
            cursor.itersize = _PAGE
            cursor.execute(statements("things", PACKAGE)["mixed_documents"], self._values)
            for (_, count), rows in groupby(cursor, key=itemgetter(0, 1)):
                yield int(count), [_document(row) for row in rows]

    def _settle(self, settled: list[tuple[int, Placed]]) -> None:
        if not settled:
            return
        with self._connection.cursor() as cursor, cursor.copy(statements("things", PACKAGE)["settle"]) as copy:
            for number, one in settled:
                copy.write_row((number, one.canonical, one.place, one.why))

    def _count(self, parts: list[int]) -> None:
        self.found.things = first_number(self._connection.execute(statements("things", PACKAGE)["count_things"]))
        members = len(self._identity.members)
        empty: dict[str, int] = dict.fromkeys(("documents", "joined", "linked", "alone", "apart", "dropped", "open"), 0)
        self.found.collections = {self._collections[part]: dict(empty) for part in parts}
        for row in self._connection.execute(statements("things", PACKAGE)["count_documents"]).fetchall():
            collection, documents, joined, linked, alone, apart, dropped, open_ = row
            is_member = self._collections.index(collection) < members
            self.found.collections[collection] = {
                "documents": documents,
                "joined": joined if is_member else 0,
                "linked": 0 if is_member else linked,
                "alone": alone,
                "apart": apart,
                "dropped": dropped,
                "open": open_,
            }


def _document(row: tuple[Any, ...]) -> Document:
    _, _, node, part, source_id, own_id, known, listed, shown, keys, digests, hits, has_link = row
    told = cast("list[list[str]]", json.loads(shown))
    return Document(
        int(node),
        int(part),
        bytes(source_id),
        str(own_id),
        known,
        bool(listed),
        {int(key): bytes(digest) for key, digest in zip(keys, digests, strict=True)},
        tuple(int(hit) for hit in hits),
        bool(has_link),
        tuple((str(name), str(value)) for name, value in told),
    )
