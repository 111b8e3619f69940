"""What a rewrite came to, for people and as JSON. Sensitive values are hidden in both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isthmus.cli.output import fits, plural, show_hint, show_more, show_paragraph, show_rows, some
from isthmus.polyglot.rewrite.documents import as_id
from isthmus.polyglot.rewrite.result import CHANGES, Listed, OtherId, PlaceBooks, RewriteResult
from isthmus.state.source_ids import show
from isthmus.work.hidden import HIDDEN

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 5
"""Values that a terminal lists of each outcome."""

_OUTCOMES = {
    "would_change": "would change",
    "changed": "changed",
    "would_restore": "would go back",
    "restored": "put back",
    "canonical": "ids already",
    "elsewhere": "elsewhere",
    "unmapped": "unmapped",
    "ambiguous": "ambiguous",
    "cannot": "cannot",
    "moved": "moved",
    "left_alone": "left alone",
    "left_before": "left before",
    "other_id": "another row's id",
    "would_leave_id": "would stay",
    "id_left": "said to stay",
    "gone": "gone",
}

_HEADINGS = {
    "unmapped": "Unmapped: no row of what they lead to is known for them",
    "ambiguous": "Ambiguous: an id of one row, and an old id of another one, or of several",
    "cannot": "Cannot be changed",
    "moved": "Changed by others each time it was tried; run the same command again",
    "left_alone": "Left alone: others have changed them since they were written",
    "other_id": "Left alone: others have put the id of another row there, and the documents refer to that row",
    "would_leave_id": "Would be left for good (--leave-ids): others have put the id of another row there",
    "id_left": "Left for good (--leave-ids): others have put the id of another row there",
}

_REASONS = {
    "dotted-key": "a key on the way holds a dot, which an update cannot name",
    "dollar-key": "a key on the way begins with $, which an update cannot name",
    "empty-key": "a key on the way is empty, which an update cannot name",
    "dbref": "it is a DBRef, which applications read as one; change it by hand",
    "shard-key": "it is a part of the shard key",
    "too-large": "the document would be larger than MongoDB takes",
    "validator": "the collection's validator refuses the document then",
    "duplicate-key": "a unique index of the collection holds that id already",
}


def show_result(console: Console, result: RewriteResult) -> None:
    """Print the books by path, the first values that need somebody, and what to do next."""
    _show_books(console, result)
    _show_listed(console, result)
    for collection, path, why in result.left_out:
        place = f"{collection} {path}".strip()
        show_paragraph(console, "  • ", f"Not looked at: {place}: {why.rstrip('.')}.")
    if result.missing:
        show_paragraph(console, "  • ", f"The source does not have {', '.join(result.missing)}.")
    _show_ending(console, result)


def result_json(result: RewriteResult) -> dict[str, Any]:
    """Return what a rewrite came to as JSON values; see the help of the command."""
    collections: dict[str, Any] = {name: {"documents": count, "places": {}} for name, count in result.documents.items()}
    for (collection, path), books in result.places.items():
        known = collections.setdefault(collection, {"documents": 0, "places": {}})
        known["places"][path] = _books_json(books)
    return {
        **result.summary(),
        "collections": collections,
        "left_out": [{"collection": c, "path": p, "why": w} for c, p, w in result.left_out],
        "missing": result.missing,
        "listed": [_listed_json(one) for one in result.listed],
    }


def _books_json(books: PlaceBooks) -> dict[str, Any]:
    counts: dict[str, Any] = {outcome: books.of(outcome) for outcome in _OUTCOMES if books.of(outcome)}
    if "cannot" in counts:
        counts["cannot"] = books.reasons("cannot")
    return {"leads_to": list(books.leads_to), "values": books.values, **counts}


def _listed_json(one: Listed) -> dict[str, Any]:
    return {
        "collection": one.collection,
        "id": show(one.source_id, shorten=False),
        "path": one.path,
        "value": _value(one),
        "becomes": HIDDEN if one.sensitive and one.becomes is not None else one.becomes,
        "outcome": one.outcome,
        "reason": one.reason,
        "stands": None if one.stands is None else _stands_json(one.stands, hidden=one.sensitive),
    }


def _stands_json(there: OtherId, *, hidden: bool) -> dict[str, Any]:
    return {
        "id": HIDDEN if hidden else there.id,
        "table": there.table,
        "documents": [] if hidden else list(there.documents),
    }


def _value(one: Listed) -> str:
    """Return the old value for people, as an `_id` is shown."""
    return HIDDEN if one.sensitive else show(as_id(one.old))


def _show_books(console: Console, result: RewriteResult) -> None:
    """Print a line of each path: as a table where it is wide enough for all outcomes, else one sentence each."""
    met = [outcome for outcome in _OUTCOMES if result.total(outcome)]
    places = {f"{collection} {path}": books for (collection, path), books in result.places.items() if books.values}
    if not places:
        return
    rows = [
        [place, ", ".join(books.leads_to) or "–", *(some(books.of(outcome)) for outcome in met)]
        for place, books in places.items()
    ]
    columns = ("where", "leads to", *(_OUTCOMES[outcome] for outcome in met))
    if len(rows) > 1:
        rows.append(["all", "", *(some(result.total(outcome)) for outcome in met)])
    if fits(console, columns, rows):
        show_rows(console, columns, rows, numbers=columns[2:])
        return
    for place, books in places.items():
        counts = ", ".join(f"{books.of(outcome):,} {_OUTCOMES[outcome]}" for outcome in met if books.of(outcome))
        show_paragraph(console, "  ", f"{place} → {', '.join(books.leads_to) or '–'}: {counts}")


def _show_listed(console: Console, result: RewriteResult) -> None:
    for outcome, heading in _HEADINGS.items():
        count = result.total(outcome)
        if not count:
            continue
        console.print(f"{heading} ({count:,}):", style="bold yellow", soft_wrap=True)
        known = [one for one in result.listed if one.outcome == outcome]
        for one in known[:_SHOWN]:
            why = f": {_REASONS.get(one.reason, f'the server refuses it ({one.reason})')}" if one.reason else ""
            now = _stands(one.stands, hidden=one.sensitive) if one.stands is not None else ""
            words = f"{one.collection} {show(one.source_id)}  {one.path}  {_value(one)}{why}{now}"
            show_paragraph(console, "  • ", words)
        show_more(console, count - min(len(known), _SHOWN), "--json FILE lists them (--limit)")


def _stands(there: OtherId, *, hidden: bool) -> str:
    """Return what stands there now behind the value that stood there before, for people."""
    row = f"a row of {there.table}" if there.table is not None else "a row that no copy's is any more"
    documents = f": {', '.join(there.documents)}" if there.documents and not hidden else ""
    return f"; now {HIDDEN if hidden else there.id}, {row}{documents}"


def _show_ending(console: Console, result: RewriteResult) -> None:
    values = plural(result.total(*CHANGES), "value")
    changed, read = plural(result.changed, "document"), plural(sum(result.documents.values()), "document")
    style = "bold yellow" if result.open or result.outcome != "complete" else "bold green"
    left = f", {result.open:,} left as they are" if result.open else ""
    where = f" in {changed}" if result.total(*CHANGES) else ""
    if result.outcome != "complete":
        console.print(f"Stopped as asked. {_done(result, values)} so far.", style=style)
        show_hint(console, "Run the same command again to go on from here.", indent=2)
        return
    words = f"{_done(result, values)}{where}{left}; {read} looked at ({result.seconds:.1f} s)."
    console.print(words, style=style, soft_wrap=True)
    if result.total("other_id"):
        words = (
            "Of another row's id: write into these documents what they are to hold in MongoDB (the _id of the document"
            " that the row is stands behind it), then run the same command with --live; it settles them. Or say"
            " --leave-ids: they stay as they are, and nothing waits for them; when that row is taken back (isthmus"
            " undo), they lead nowhere until a copy brings it again."
        )
        show_hint(console, words, indent=2)
    if result.mode == "dry-run" and result.total("would_change"):
        words = (
            "Nothing was written. Let the applications take texts in these fields first (a Mongoose model says String,"
            " not ObjectId); then run it with --live."
        )
        show_hint(console, words, indent=2)
    elif result.mode == "undo-dry-run" and result.total("would_restore", "would_leave_id"):
        what = "put them back" if result.total("would_restore") else "settle them"
        show_hint(console, f"Nothing was written. Run it with --live to {what}.", indent=2)
    elif result.mode == "live" and result.total("changed"):
        words = "Run it once more to find what others wrote meanwhile. To go back: the same command with --undo."
        show_hint(console, words, indent=2)


def _done(result: RewriteResult, values: str) -> str:
    return {
        "dry-run": f"Dry run: {values} would change",
        "live": f"{values} rewritten",
        "undo-dry-run": f"Dry run: {values} would be put back",
        "undo": f"{values} put back",
    }[result.mode]
