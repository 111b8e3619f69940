"""The oracle as it stands to a run: its mappings in their order, the ledgers' accounts, and look-ups in the target."""

from __future__ import annotations

from isthmus.verify.ledgers import accounts_of
from isthmus.verify.look_up import TargetLookUp
from isthmus.verify.orphans import read_orphans
from isthmus.verify.reference import Expected, Reference
from isthmus.verify.reference.compare import Comparison
from isthmus.verify.reference.finishing import LookUp
from isthmus.verify.reference.reading import parse
from isthmus.verify.subject import Subject


class RunReference(Reference):
    """What documents must become under the mapping that a run began with, or else under those of its retries."""

    def __init__(self, subject: Subject) -> None:
        first, *others = (parse(one.text) for one in subject.histories)
        super().__init__(first, subject.key, subject.run.now_us)
        self._others = [Reference(one, subject.key, subject.run.now_us) for one in others]

    def expected(self, collection: str, document: bytes) -> Expected:
        """See `Reference`."""
        found = super().expected(collection, document)
        if found.rejected is not None:
            for number, other in enumerate(self._others, start=1):
                again = other.expected(collection, document)
                if again.rejected is None:
                    again.late = number
                    return again
        return found


def comparison_of(subject: Subject) -> Comparison:
    """Return a comparison of the target with documents, without going through all of them first."""
    reference = RunReference(subject)
    reference.rules.schema = subject.schema.schema
    look_up: LookUp = TargetLookUp(subject.connection, subject.schema.schema, reference.shapes).find
    orphans = read_orphans(subject.connection, subject.run.id, subject.schema)
    accounts = accounts_of(subject.connection, reference, orphans, subject.run.id)
    # whoever reads the source tells documents from letters, each as often as it is one; bytes alone do not
    accounts.dead_documents.clear()
    return Comparison(reference, subject.connection, accounts, look_up)
