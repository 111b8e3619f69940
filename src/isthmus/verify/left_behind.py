"""Documents without rows, by the oracle's word: left behind by a rule, or such as cannot be carried."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from psycopg import sql

from isthmus._rust import source_id as document_id
from isthmus.state.source_ids import show
from isthmus.verify.reference.compare import Comparison
from isthmus.verify.result import LayerResult
from isthmus.verify.source_facts import SourceFacts
from isthmus.verify.subject import Subject

_ID_BYTES, _DIGEST_BYTES = 8, 16
"""Of `Batch.document_digests`: those of the `_id`, and all of a document's."""


def find_wrongly_refused(subject: Subject, comparison: Comparison, facts: SourceFacts, result: LayerResult) -> None:
    """Enter dead letters that the core refuses and the oracle would carry."""
    refused = ((name, raw) for name, found in facts.collections.items() for raw in found.refused)
    total = sum(len(found.refused) for found in facts.collections.values())
    for name, raw in subject.progress.counting(refused, "dead letters", total):
        expected = comparison.reference.expected(name, raw)
        if expected.rejected is None:
            source_id = document_id(raw)
            shown = show(source_id) if source_id else None
            result.differs(
                name,
                "(dead letters)",
                f"The document {shown or '(no readable _id)'} of {name} is a dead letter, and it could be carried.",
                id=shown,
                expected="left behind by a rule" if expected.skipped is not None else "a row",
                actual="a dead letter",
            )


def find_wrongly_carried(
    subject: Subject, comparison: Comparison, facts: SourceFacts
) -> Iterator[tuple[str, str, str]]:
    """Yield (table, id, why there must be none) of rows whose document has none, of those that were drawn.

    A row that another document with the same `_id` may have is passed over.
    """
    subject.progress.part("documents looked at again", sum(len(found.sample) for found in facts.collections.values()))
    for name, found in facts.collections.items():
        owners: dict[str, dict[str, tuple[str, bytes]]] = defaultdict(dict)
        for raw in found.sample:
            subject.progress.part_done()
            expected = comparison.reference.expected(name, raw)
            if expected.rows:
                continue
            why = "is left behind by a rule" if expected.skipped is not None else "cannot be carried"
            for table, row_id in comparison.reference.row_ids(name, raw):
                owners[table][row_id] = (why, raw)
        for table, wanted in owners.items():
            there = _there(subject, comparison, table, list(wanted))
            alone = _alone(subject, name, table, [wanted[one][1] for one in there]) if there else set[bytes]()
            for one in there:
                why, raw = wanted[one]
                if raw in alone:
                    yield table, one, why


def _there(subject: Subject, comparison: Comparison, table: str, ids: list[str]) -> list[str]:
    shape = comparison.reference.shapes[table]
    if shape.owner is None:
        return []
    rows = subject.connection.execute(
        sql.SQL("SELECT {0}::text FROM {1} WHERE {0}::text = ANY({2}) ORDER BY 1").format(
            sql.Identifier(shape.owner), sql.Identifier(subject.schema.schema, table), sql.Literal(ids)
        )
    )
    return [row_id for (row_id,) in rows]


def _alone(subject: Subject, collection: str, table: str, documents: list[bytes]) -> set[bytes]:
    """Return those of some documents whose `_id` the copy met only once, in all collections that fill a table."""
    transcoder = subject.transcoders(collection)[0]
    digests = {raw: transcoder.transcode(raw).document_digests[:_ID_BYTES] for raw in documents}
    wanted, count = set(digests.values()), Counter[bytes]()
    rows = subject.connection.execute(
        "SELECT document_digests FROM isthmus.batch WHERE run_id = %s AND collection = ANY(%s)",
        (subject.run.id, list(subject.schema.tables[table].collections)),
    )
    for (some,) in rows:
        data = bytes(some)
        count.update(one for at in range(0, len(data), _DIGEST_BYTES) if (one := data[at : at + _ID_BYTES]) in wanted)
    return {raw for raw, digest in digests.items() if count[digest] == 1}
