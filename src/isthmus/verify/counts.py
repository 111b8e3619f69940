"""Layer counts: the balance, drawn again from both databases.

Every document of the source is a row, a dead letter, joined into another, or left behind for a stated reason; every
row of a table belongs to a document. Cannot see: which rows these are, and what is in them.
"""

from __future__ import annotations

from array import array
from collections import Counter

from psycopg import sql

from isthmus.connect.postgres import first_number
from isthmus.verify.became import check_books
from isthmus.verify.result import ColumnCheck, LayerResult
from isthmus.verify.source_facts import CollectionFacts, SourceFacts
from isthmus.verify.subject import Subject
from isthmus.work.amounts import plural


def check(subject: Subject, facts: SourceFacts) -> LayerResult:
    """Count documents and rows, and hold them against each other."""
    result = LayerResult("counts", unit="documents and rows")
    result.notes.append("Counts cannot see which rows there are, nor what is in them.")
    check_source(subject, facts, result)
    merged = _merged(subject)
    _adjustments(subject, facts, result)
    check_books(subject, facts, result)
    tables = subject.schema.tables.values()
    for table in subject.progress.counting(tables, "tables", len(tables), even=False):
        there = first_number(
            subject.connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(subject.schema.schema, table.name))
            )
        )
        result.checked += there
        if table.kind == "junction":
            expected = _pairs(subject, table.name)
            what = "pairs the books of the copy state"
        else:
            gone = sum(merged[name] for name in table.collections) if table.kind == "root" else 0
            expected = facts.rows[table.name] - gone
            what = "rows the documents of the source make"
        result.columns.append(ColumnCheck(table.name, "", compared=there))
        if there != expected:
            result.differs(
                table.name,
                "(rows)",
                f"{table.name} holds {there:,} rows; it must be {expected:,}, the {what}.",
                expected=str(expected),
                actual=str(there),
                times=abs(there - expected),
            )
    return result


def check_source(subject: Subject, facts: SourceFacts, result: LayerResult) -> None:
    """Hold the documents of the source against what the copy read, and against the dead letters."""
    _source_as_mapped(facts, result)
    _mappings(subject, facts, result)
    recorded = _recorded(subject)
    for name, found in facts.collections.items():
        _collection(name, found, recorded.get(name, (0, 0)), result)
        _letters(subject, name, found, result)


def _mappings(subject: Subject, facts: SourceFacts, result: LayerResult) -> None:
    """Say which mappings documents were carried with, where there are several."""
    late = sum((found.late for found in facts.collections.values()), Counter[int]())
    for number, history in enumerate(subject.histories):
        fingerprint = history.mapping.fingerprint
        given = fingerprint == subject.mapping.fingerprint
        which = "the given mapping" if given else f"another mapping (fingerprint {fingerprint[:12]})"
        if not number and not given:
            result.notes.append(f"The run began with {which}: what it carried then is held against that one.")
        if late[number]:
            result.notes.append(
                f"{plural(late[number], 'document')} came by {which}, with which dead letters were tried again, and are"
                " held against that one."
            )


def _source_as_mapped(facts: SourceFacts, result: LayerResult) -> None:
    for name, documents in facts.unknown.items():
        count = "some" if documents is None else f"{documents:,}"
        result.differs(
            name,
            "(collection)",
            f"The source holds the collection {name} ({count} documents), which the mapping does not name.",
            expected="named in the mapping",
            actual="not named",
        )
    for name in facts.absent:
        result.differs(
            name,
            "(collection)",
            f"The mapping names the collection {name}, which the source does not hold.",
            expected="in the source",
            actual="missing",
        )
    result.notes += [f"{name} is left out: {rule}" for name, rule in facts.left_out.items()]


def _collection(name: str, found: CollectionFacts, recorded: tuple[int, int], result: LayerResult) -> None:
    result.checked += found.documents
    skipped = sum(found.skipped.values())
    result.columns.append(ColumnCheck(name, "", compared=found.documents, accounted=found.letters + skipped))
    if found.rewritten:
        result.notes.append(
            f"In {plural(found.rewritten, 'document')} of {name} isthmus refs rewrite has changed references since the"
            " copy; they were looked at as they were before."
        )
    for why in found.broken:
        result.differs(name, "(source)", f"{name} could not be read to its end: {why}", expected="read to its end")
    if recorded != (found.documents, found.digest) and not found.broken:
        then, now = f"{recorded[0]:,}", f"{found.documents:,}"
        what = f"{then} documents then, {now} now" if then != now else f"{now} documents as then, with other contents"
        result.differs(
            name,
            "(source)",
            f"{name} is not what the copy read: {what}. Run isthmus copy again: it names what changed.",
            expected=f"{recorded[0]} documents, digest {recorded[1]:016x}",
            actual=f"{found.documents} documents, digest {found.digest:016x}",
        )
    for source_id, code in found.lost:
        result.differs(
            name,
            "(document)",
            f"The document {source_id} of {name} is neither carried nor among the dead letters"
            f"{f' ({code})' if code else ''}.",
            id=source_id,
            expected="a row or a dead letter",
            actual="neither",
        )
    if found.more_lost:
        result.more(name, "(document)", found.more_lost)


def _letters(subject: Subject, name: str, found: CollectionFacts, result: LayerResult) -> None:
    """Hold the ledger of dead letters against the source, and against the books of the copy."""
    carriable = len(found.carriable) + found.more_carriable
    if carriable and subject.existing:
        result.notes.append(
            f"{plural(carriable, 'dead letter')} of {name} could be converted as the mapping says; whether the columns"
            " that are there refused them was not looked at."
        )
    for source_id in found.carriable if not subject.existing else ():
        result.differs(
            name,
            "(dead letters)",
            f"The ledger says that the document {source_id} of {name} could not be converted, but it can.",
            id=source_id,
            expected="a row",
            actual="a dead letter",
        )
    if found.more_carriable and not subject.existing:
        result.more(name, "(dead letters)", found.more_carriable)
    if found.letters_unmet:
        result.differs(
            name,
            "(dead letters)",
            f"{found.letters_unmet:,} dead letters of {name} are no documents of the source.",
            expected=str(found.letters),
            actual=str(found.letters + found.letters_unmet),
            times=found.letters_unmet,
        )
    books = (subject.run.balance or {}).get("collections", {}).get(name, {})
    booked = int(books.get("dead_letters", 0))
    if booked != found.letters_listed:
        result.differs(
            name,
            "(dead letters)",
            f"The ledger holds {found.letters_listed:,} dead letters of {name}; the books state {booked:,}.",
            expected=str(booked),
            actual=str(found.letters_listed),
            times=abs(booked - found.letters_listed),
        )


def _adjustments(subject: Subject, facts: SourceFacts, result: LayerResult) -> None:
    """Hold the ledger of changed values against those that the core changes in the documents that have rows."""
    wanted = sum((found.adjusted for found in facts.collections.values()), Counter[tuple[str, str, str]]())
    rows = subject.connection.execute(
        "SELECT table_name, column_name, kind, count(*) FROM isthmus.adjustment WHERE run_id = %s GROUP BY 1, 2, 3",
        (subject.run.id,),
    )
    there = Counter({(str(table), str(column), str(kind)): int(count) for table, column, kind, count in rows})
    for place in sorted(wanted.keys() | there.keys()):
        table, column, kind = place
        if wanted[place] != there[place]:
            result.differs(
                table,
                column,
                f"The ledger lists {plural(there[place], 'value')} of {table}.{column} as changed on the way ({kind});"
                f" the documents of the source have {wanted[place]:,}.",
                expected=str(wanted[place]),
                actual=str(there[place]),
                times=abs(wanted[place] - there[place]),
            )


def _recorded(subject: Subject) -> dict[str, tuple[int, int]]:
    """Return collection → how many documents the copy read, and the sum of their digests."""
    documents: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    with subject.connection.cursor("isthmus_batches") as cursor:
        cursor.itersize = 100
        cursor.execute(
            "SELECT collection, documents, document_digests FROM isthmus.batch WHERE run_id = %s", (subject.run.id,)
        )
        for collection, count, digests in cursor:
            numbers = array("Q")
            numbers.frombytes(bytes(digests))
            documents[collection] += count
            sums[collection] += sum(numbers)
    return {name: (count, sums[name] % 2**64) for name, count in documents.items()}


def _merged(subject: Subject) -> Counter[str]:
    """Return collection → documents that the ledger says were joined into others."""
    rows = subject.connection.execute(
        "SELECT collection, count(*) FROM isthmus.id_map WHERE origin = 'merged' GROUP BY 1"
    )
    return Counter({str(name): int(count) for name, count in rows})


def _pairs(subject: Subject, junction: str) -> int:
    balance = subject.run.balance or {}
    return int(balance.get("junctions", {}).get(junction, 0))
