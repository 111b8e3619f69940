"""Why letters stay, in words: of what was found against them, and of what the server said."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from isthmus._rust import Batch
from isthmus.connect.postgres import explain
from isthmus.mapping.model import Flow
from isthmus.mapping.tables import Table
from isthmus.state.ledgers import Cause, causes_of
from isthmus.state.retries import (
    LetterBytes,
    Refusal,
)
from isthmus.state.source_ids import show
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.finishing.origins import ids_of_flow
from isthmus.transfer.finishing.places import document_path
from isthmus.transfer.job import Job
from isthmus.transfer.letters.judge import Judge, Judged
from isthmus.transfer.letters.staging import Tried


class Causes:
    """Finds words for the letters of one session.

    Args:
        job: The retry.
        connection: The caller's.
        judge: What found them.
    """

    def __init__(self, job: Job, connection: psycopg.Connection, judge: Judge) -> None:
        self._job = job
        self._connection = connection
        self._judge = judge

    def refusals(
        self,
        tried: Sequence[Tried],
        judged: dict[int, Judged],
        orphans: dict[int, list[Cause]],
        refused: dict[int, Cause],
    ) -> list[Refusal]:
        """Say why letters that were tried and do not fit stay."""
        letters = {one.letter.id: one.letter for one in tried}
        keepers = self._keepers(tried, judged)
        found: list[Refusal] = []
        for one in tried:
            what = judged[one.letter.id]
            if what.fate == "orphan":
                found.append(Refusal(one.letter, "finish", orphans[one.letter.id]))
            elif what.fate == "refused":
                found.append(Refusal(one.letter, "finish", [refused[one.letter.id]]))
            elif what.fate in {"taken", "twin"}:
                found.append(Refusal(one.letter, "finish", [_taken(one.letter, what, self._job.root_of(one.flow))]))
            elif what.fate != "fits":
                keeper = keepers.get(one.letter.id)
                if what.fate == "rival":
                    first = letters[int(what.keeper or 0)]
                    keeper = show(first.source_id) if first.source_id else None
                found.append(Refusal(one.letter, "finish", [self._shared_value(one.flow, what, keeper)]))
        return found

    def _keepers(self, tried: Sequence[Tried], judged: dict[int, Judged]) -> dict[int, str]:
        """Return letter → the `_id` of the document in the target that holds one of its unique values."""
        found: dict[int, str] = {}
        held = [one for one in tried if judged[one.letter.id].fate == "held" and judged[one.letter.id].keeper]
        for flow in dict.fromkeys(one.flow for one in held):
            mine = [one.letter.id for one in held if one.flow == flow]
            known = ids_of_flow(self._job, self._connection, flow, [str(judged[number].keeper) for number in mine])
            found.update(zip(mine, (text for _, text in known), strict=True))
        return found

    def _shared_value(self, flow: Flow, what: Judged, keeper: str | None) -> Cause:
        table, index = self._judge.uniques[what.rule or 0]
        label = ", ".join(index.columns)
        holder = "another document" if keeper is None else f"the document {keeper}"
        message = (
            f"The document itself holds one {label} more than once; it must be unique in {table.name}."
            if what.fate == "twice"
            else f"Its {label} is also held by {holder}, which is kept; {table.name} allows it once."
        )
        path = document_path(self._job, table, index.columns, flow)
        return Cause("duplicate-key", path, message, f"{table.name}.{label}", value=what.shown or "")

    def of_fault(self, letter: LetterBytes, fault: psycopg.Error) -> tuple[str, list[Cause]]:
        flows = self._job.mapping.flows_of(letter.collection)
        tables = [table for table in self._job.schema.tables.values() if {*flows} & {*table.flows}]
        words = fault.diag.message_primary or ""
        if isinstance(fault, psycopg.errors.ProgramLimitExceeded) and words.startswith("index row"):
            return "finish", [self._too_long(letter, tables, words, fault.diag.constraint_name)]
        sensitive = any(column.sensitive for table in tables for column in table.columns)
        words = explain(fault, detail=not sensitive)
        return "load", [Cause("target-refused", "", f"PostgreSQL refuses the document: {words}.")]

    def _too_long(self, letter: LetterBytes, tables: Sequence[Table], words: str, constraint: str | None) -> Cause:
        """Say that a value is too long for an index; which one, the server does not always tell."""
        for table in tables:
            columns = _key_columns(table, constraint)
            if columns:
                label = ", ".join(columns)
                flow = next(flow for flow in table.flows if flow.collection == letter.collection)
                path = document_path(self._job, table, columns, flow)
                message = f"Its {label} is too long for a key: {words}."
                return Cause("key-too-long", path, message, f"{table.name}.{label}")
        return Cause("key-too-long", "", f"A value of it is too long for an index: {words}.")


def _key_columns(table: Table, constraint: str | None) -> tuple[str, ...]:
    """Return the columns of a table's key or unique index of this name; empty when it has none."""
    if constraint == table.primary_key_name:
        return table.primary_key
    return next((index.columns for index in table.indexes if index.unique and index.name == constraint), ())


def core_causes(batch: Batch) -> list[Cause]:
    return causes_of(batch.rejects[0])


def _taken(letter: LetterBytes, what: Judged, root: Table) -> Cause:
    column = f"{root.name}.{key_column(root)}"
    where = f"a row of {root.name}" if what.fate == "taken" else f"the row that dead letter {what.keeper} became"
    value = show(letter.source_id)[:80] if letter.source_id else ""
    message = f"Its _id becomes the id {what.id}, which {where} has already."
    return Cause("duplicate-id", "_id", message, column, value=value)
