"""What the lines of a copy's log say of a dead letter, an error, how far it is and what it came to. Pure."""

from __future__ import annotations

import traceback
from datetime import UTC
from typing import TYPE_CHECKING, Any

from isthmus.connect.secrets import hide
from isthmus.errors import IsthmusError

if TYPE_CHECKING:
    from isthmus.cli.sensitive import Sensitive
    from isthmus.state.logged import LoggedLetter
    from isthmus.transfer.balance import Balance
    from isthmus.transfer.result import Result
    from isthmus.work.progress import Snapshot


def letter_line(letter: LoggedLetter, sensitive: Sensitive | None) -> dict[str, Any]:
    """Return a dead letter as a line: its number, whose document it holds, and every cause as it may be shown."""
    causes = [sensitive.cause(letter.collection, cause) if sensitive else cause for cause in letter.causes]
    return {
        "at": letter.created_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "event": "dead-letter",
        "letter": letter.id,
        "collection": letter.collection,
        "source_id": letter.source_id,
        "code": causes[0]["code"] if causes else None,
        "stage": letter.stage,
        "causes": [
            {name: cause.get(name) for name in ("code", "path", "column", "bson_type", "message")} for cause in causes
        ],
        "location": letter.location,
        "size_bytes": letter.size_bytes,
    }


def error_facts(fault: BaseException) -> dict[str, Any]:
    """Return an error with its stack: file, line and function of each call, without the values that were in them."""
    told: dict[str, Any] = {"error": type(fault).__name__, "message": hide(str(fault))}
    if isinstance(fault, IsthmusError):
        told |= {"code": fault.code, "exit_code": fault.exit_code}
        told |= {"hint": hide(fault.hint)} if fault.hint else {}
        told |= {"findings": [hide(str(one)) for one in fault.problems]} if fault.problems else {}
    frames = traceback.extract_tb(fault.__traceback__)
    told["stack"] = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    cause = fault.__cause__ or fault.__context__
    if cause is not None:
        told["caused_by"] = type(cause).__name__
    return told


def progress_facts(snapshot: Snapshot) -> dict[str, Any]:
    """Return how far the copy is, collection by collection where one is at work."""
    return {
        "stage": snapshot.stage,
        "step": snapshot.step or None,
        "documents": sum(one.documents for one in snapshot.collections),
        "dead_letters": sum(one.dead_letters for one in snapshot.collections),
        "collections": {
            one.name: {"documents": one.documents, "bytes": one.bytes_done, "of_bytes": one.bytes_total}
            for one in snapshot.collections
            if one.documents and one.bytes_done != one.bytes_total
        },
    }


def book_facts(result: Result) -> dict[str, Any]:
    """Return the sums of the books, and of complete ones what is not as the source had it."""
    names = ("read", "copied", "merged", "kept", "skipped", "dead_letters")
    if result.balance is None:
        return {name: sum(books.get(name, 0) for books in result.partial.values()) for name in names}
    collections = result.balance.collections.values()
    return {
        **{name: sum(getattr(books, name) for books in collections) for name in names},
        "balanced": not result.balance.differences,
        "orphans": _orphans(result.balance),
        "adjusted": result.balance.adjusted,
        "skipped_because": result.balance.skips,
        "skipped_collections": result.skipped_collections,
        "skipped_documents": result.skipped_documents,
    }


def _orphans(balance: Balance) -> dict[str, dict[str, int]]:
    """Return of every reference with orphans what became of how many."""
    return {
        name: {**books.actions, **({"dead_letter": books.refused} if books.refused else {})}
        for name, books in balance.references.items()
        if books.actions or books.refused
    }
