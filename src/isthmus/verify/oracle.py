"""The oracle as it stands to a run: its mappings in their order, the ledgers' accounts, and look-ups in the target.

What the final form of rows depends on it must have learned first. Most of that it looks up in the target. Of documents
that may be joined it learns those that the ledger says were, with those they were joined into; that all others have a
row of their own is for who compares all rows to say. Only of tables that keep no id must it learn every document.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack

from isthmus.mapping.model import Flow
from isthmus.mapping.tables import Table
from isthmus.verify.checksum.spool import Spool
from isthmus.verify.checksum.takers import OracleTaker, ids_to_find
from isthmus.verify.joined import JOINED
from isthmus.verify.ledgers import accounts_of
from isthmus.verify.look_up import TargetLookUp
from isthmus.verify.orphans import read_orphans
from isthmus.verify.reference import Expected, Reference
from isthmus.verify.reference.accounts import GivenAccounts
from isthmus.verify.reference.compare import Comparison
from isthmus.verify.reference.finishing import Finishing, LookUp, There
from isthmus.verify.reference.joining import Selects
from isthmus.verify.reference.reading import parse
from isthmus.verify.source_reading import Taker
from isthmus.verify.stopping import checker
from isthmus.verify.subject import Subject
from isthmus.verify.things import parts_of_things

_JOINED = f"SELECT derived_id, id FROM {JOINED} j WHERE collection = ANY(%s)"


class RunReference(Reference):
    """What documents must become under the mapping that a run began with, or else under those of its retries.

    Args:
        subject: What is verified.
        check_stop: Called for each document; raises what ends the work.
    """

    def __init__(self, subject: Subject, check_stop: Callable[[], None] = lambda: None) -> None:
        first, *others = ((parse(one.text), one.mapping.things) for one in subject.histories)
        super().__init__(first[0], subject.key, subject.run.now_us, first[1])
        self._others = [Reference(one, subject.key, subject.run.now_us, things) for one, things in others]
        self._check_stop = check_stop

    def expected(self, collection: str, document: bytes) -> Expected:
        """See `Reference`."""
        self._check_stop()
        found = super().expected(collection, document)
        if found.rejected is not None:
            for number, other in enumerate(self._others, start=1):
                again = other.expected(collection, document)
                if again.rejected is None:
                    again.late = number
                    return again
        return found

    def each(self, collection: str, document: bytes) -> Iterator[Expected]:
        """Yield what a document becomes under each of the mappings."""
        yield super().expected(collection, document)
        for other in self._others:
            yield other.expected(collection, document)


class Oracle:
    """Made before the source is read, given the documents it needs, and asked for comparisons.

    Args:
        subject: What is verified.
        stack: Closes what it opens.
        stop: Set when the user wants it to end.

    Attributes:
        reference: What documents must become.
    """

    def __init__(self, subject: Subject, stack: ExitStack, stop: threading.Event) -> None:
        self._subject = subject
        self._spool = stack.enter_context(Spool())
        self._check_stop = checker(stop)
        self.reference = RunReference(subject, self._check_stop)
        self.reference.rules.schema = subject.schema.schema
        self._learned: Comparison | None = None
        self._whole: set[str] = set()
        self._ids: dict[str, set[str]] = {}
        self._met: dict[str, set[int]] = {}
        self._may_be_gone: dict[str, set[str]] = {}
        self._keep_what_is_learned()

    def keep_whole(self, root: str) -> None:
        """Keep all documents of a root table."""
        self._whole.add(root)

    def keep(self, root: str, ids: Collection[str]) -> None:
        """Keep those documents of a root table whose rows have, or would have, these ids."""
        self._ids.setdefault(root, set()).update(ids)

    def takers(self, collection: str) -> Iterator[Taker]:
        """Yield what takes the documents of a collection that have rows."""
        roots = [self._root(flow) for flow in self._subject.mapping.flows_of(collection)]
        spool: Spool | None = self._spool
        if any(root.name in self._whole for root in roots):
            yield OracleTaker(self._spool, collection)
            spool = None  # what has been kept is only noted as met
        for root in {root.name: root for root in roots}.values():
            if ids := self._ids.get(root.name):
                met = self._met.setdefault(root.name, set())
                wanted = ids_to_find(ids, uuid=_has_uuids(root))
                yield OracleTaker(spool, collection, self._subject.transcoders(collection)[0], wanted, met)

    def unmet(self, root: str) -> list[str]:
        """Return the ids that no document was met for, but for those that only a map of things knows."""
        met = self._met.get(root, set())
        gone = self._may_be_gone.get(root, set())
        ids = enumerate(sorted(self._ids.get(root, ())))
        return [one for number, one in ids if number not in met and one not in gone]

    def documents(self, roots: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (collection, raw BSON) of the documents that were kept, of collections that fill some root tables."""
        return self._spool.read(self._collections(roots))

    def count(self, roots: Collection[str]) -> int:
        """Return how many documents `documents` yields."""
        return self._spool.count(self._collections(roots))

    def comparison(self, subject: Subject | None = None, there: There | None = None) -> Comparison:
        """Return a comparison that knows all it must, once the source is read.

        Args:
            subject: Where it looks; None for what is verified.
            there: Where documents are in another subject's tables; None: where their ids say.

        Raises:
            Interrupted: The user asked to stop.
        """
        if subject is not None and subject is not self._subject:
            return self._learn(subject, there)
        if self._learned is None:
            self._learned = self._learn(self._subject)
        return self._learned.again()

    def _learn(self, subject: Subject, there: There | None = None) -> Comparison:
        reference = self.reference
        if subject is not self._subject:
            reference = RunReference(subject, self._check_stop)
            reference.rules.schema = subject.schema.schema
        look_up: LookUp = TargetLookUp(subject.connection, subject.schema.schema, reference.shapes)
        orphans = read_orphans(subject.connection, subject.run.id, subject.schema)
        accounts = accounts_of(subject.connection, reference, orphans, subject.run.id)
        # whoever reads the source tells documents from letters, each as often as it is one; bytes alone do not
        accounts.dead_documents.clear()
        comparison = Comparison(reference, subject.connection, accounts, look_up, self._check_stop, there)
        roots = comparison.finishing.of_use
        total = self.count(roots)
        comparison.learn(subject.progress.counting(self.documents(roots), "documents that others depend on", total))
        return comparison

    def _keep_what_is_learned(self) -> None:
        rules = self.reference.rules
        unasked: dict[str, Selects] = {table: lambda _where, _rows: () for table in rules.merging}
        finishing = Finishing(
            rules, GivenAccounts(), unasked, TargetLookUp(self._subject.connection, rules.schema, rules.shapes)
        )
        for root in finishing.to_learn:
            self.keep_whole(root)
        if not self._subject.existing or self._subject.options.sample is None:
            self._keep_parts_of_things()
        if self._subject.existing:  # there nothing is judged that other joining changes
            return
        for root in sorted(finishing.of_use - finishing.to_learn):
            collections = list(self._subject.schema.tables[root].collections)
            for pair in self._subject.connection.execute(_JOINED, (collections,)):
                self.keep(root, pair)

    def _keep_parts_of_things(self) -> None:
        """Keep documents of which the map says that they are one with another: whether or not the ledger does."""
        for root, things in parts_of_things(self._subject, self.reference).items():
            ids = {part.own for parts in things for part in parts}
            self._may_be_gone[root] = ids - self._ids.get(root, set())
            self.keep(root, ids)

    def _collections(self, roots: Collection[str]) -> set[str]:
        return {flow.collection for root in roots for flow in self._subject.schema.tables[root].flows}

    def _root(self, flow: Flow) -> Table:
        return self._subject.schema.tables[self._subject.mapping.collections[flow.entry].table]


def _has_uuids(root: Table) -> bool:
    return any(column.role == "id" and column.type.kind == "uuid" for column in root.columns)
