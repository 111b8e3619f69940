"""What a copy left behind that stands in the way of a switch: letters nobody acknowledged, rows that say otherwise."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from isthmus.errors import PolyglotError, Problem, Where

if TYPE_CHECKING:
    import psycopg

    from isthmus.transfer.result import Result

_SHOWN = 20
_ROWS = {
    "kept": "rows that were there before and were kept",
    "kept-before": "rows that an earlier copy kept",
    "edited": "rows that were changed in PostgreSQL since they were carried",
    "deleted": "rows that were deleted in PostgreSQL since they were carried",
    "gone": "rows whose document is gone from MongoDB",
    "gone-before": "rows whose document is gone from MongoDB",
}
"""What may become of rows that were there (isthmus.transfer), where PostgreSQL is then not what MongoDB says."""


def refuse_left(collection: str, result: Result, connection: psycopg.Connection[Any]) -> None:
    """Refuse a copy behind which PostgreSQL does not hold what MongoDB says.

    A dead letter that somebody has acknowledged is settled, as everywhere: the document stays behind. A row that says
    something else is not: whoever reads PostgreSQL from then on would see it in place of the document.

    Args:
        collection: Which was carried.
        result: What the copy came to, complete.
        connection: To the target.

    Raises:
        PolyglotError: It does not (code `switch-not-carried`); the problems are the first dead letters.
    """
    balance, left = result.balance, dict[str, int]()
    if balance is None or balance.differences:
        left["books that do not balance"] = len(balance.differences) if balance is not None else 1
    letters, number = _open_letters(collection, result, connection)
    left["dead letters that nobody has acknowledged"] = number
    for verdicts in balance.met_rows.values() if balance is not None else ():
        for verdict, count in verdicts.items():
            if verdict in _ROWS:
                left[_ROWS[verdict]] = left.get(_ROWS[verdict], 0) + count
    told = ", ".join(f"{count:,} {words}" for words, count in left.items() if count)
    if not told:
        return
    raise PolyglotError(
        f"PostgreSQL would not hold what MongoDB says of {collection}: {told}.",
        code="switch-not-carried",
        where=Where(collection=collection),
        problems=tuple(letters),
        hint="Correct the documents or the mapping; isthmus letters acknowledge says which of them may stay behind."
        " Rows are named by isthmus conflicts list: correct them, or delete those that nobody needs. Then run the same"
        " command again.",
    )


def _open_letters(collection: str, result: Result, connection: psycopg.Connection[Any]) -> tuple[list[Problem], int]:
    """Return the first dead letters of a copy that nobody has acknowledged, and how many there are."""
    from isthmus.cli.long_paths import short_message, short_path
    from isthmus.cli.sensitive import sensitive_of
    from isthmus.state.acknowledgements import read_items
    from isthmus.state.reports import list_letters
    from isthmus.state.runs import read_run

    run = read_run(connection, result.run) if result.run is not None else None
    if run is None:
        return [], 0
    scope = [(run.id, collection)]
    open_ = {item.number for item in read_items(connection, "letter", scope) if item.word is None}
    if not open_:
        return [], 0
    sensitive = sensitive_of(run)
    listed = (sensitive.letter(one) for one in list_letters(connection, scope) if one.id in open_)
    problems = [
        Problem(
            one.code,
            f"Dead letter {one.id}: {short_message(one.message, one.path)}",
            Where(collection=collection, source_id=one.source_id, path=short_path(one.path) or None),
        )
        for one in islice(listed, _SHOWN)
    ]
    return problems, len(open_)
