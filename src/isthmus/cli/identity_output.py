"""Maps, conflicts and documents of identities, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import psycopg
    from rich.console import Console

    from isthmus.state.identities import IdentityMap, KeptConflict, MemberRow
    from isthmus.transfer.identities.found import Found

_COLUMNS = ("documents", "joined", "linked", "alone", "apart", "dropped", "open")
_MOST_NAMED = 3


def show_found(console: Console, found: Found, limit: int) -> None:
    from isthmus.cli.output import plural, show_note, show_rows, some

    console.print(f"{found.name}: {plural(found.things, 'thing')}. A dry run: no copy goes by it.", markup=False)
    show_rows(
        console,
        ("collection", *_COLUMNS),
        [
            (name, f"{counts['documents']:,}", *(some(counts[column]) for column in _COLUMNS[1:]))
            for name, counts in found.collections.items()
        ],
        numbers=_COLUMNS,
    )
    for note in found.notes:
        show_note(console, note)
    shown = found.conflicts[:limit]
    if shown:
        console.print()
        console.print(f"{plural(found.open, 'conflict')} to be answered:", style="bold")
    for one in shown:
        show_conflict(console, one.kind, one.id, one.message, [(offer.says, list(offer.lines)) for offer in one.offers])
    if found.open > len(shown):
        console.print(f"\n{len(shown):,} of {found.open:,} shown; --limit and --json give more, at most 1,000.")


def show_conflict(console: Console, kind: str, id_: str, message: str, answers: list[tuple[str, list[str]]]) -> None:
    from isthmus.cli.output import show_paragraph

    console.print()
    show_paragraph(console, f"{id_}  {kind}: ", message)
    for says, lines in answers:
        console.print(f"  # {says}:", markup=False, soft_wrap=True)
        for line in lines:
            console.print(f"    {line}", markup=False, soft_wrap=True)
            console.print('      reason: ""', markup=False)


def show_kept(console: Console, conflicts: list[KeptConflict]) -> None:
    from isthmus.cli.output import show_rows
    from isthmus.work.listed import listed

    show_rows(
        console,
        ("id", "kind", "identity", "documents"),
        [
            (
                one.id,
                one.kind,
                one.name,
                listed([f"{d['collection']} {d['_id']}" for d in one.documents], _MOST_NAMED, beyond=one.more),
            )
            for one in conflicts
        ],
    )


def show_members(console: Console, members: list[MemberRow]) -> None:
    from isthmus.cli.output import show_rows
    from isthmus.state import source_ids

    show_rows(
        console,
        ("identity", "map", "thing", "collection", "_id", "why"),
        [
            (
                one.name,
                one.mode,
                one.canonical_id or "–",
                one.collection,
                source_ids.show(one.source_id),
                f"{one.why}: {one.reason}" if one.reason else one.why,
            )
            for one in members
        ],
    )


def plan_json(found: list[Found]) -> dict[str, Any]:
    return {
        "mode": "dry-run",
        "identities": {
            one.name: {
                "things": one.things,
                "collections": one.collections,
                "kinds": one.kinds,
                "conflicts": [conflict.as_row() for conflict in one.conflicts],
                "notes": one.notes,
            }
            for one in found
        },
    }


def map_json(one: IdentityMap) -> dict[str, Any]:
    return {
        "identity": one.name,
        "mode": one.mode,
        "made_at": one.made_at.isoformat(),
        "source": one.source_name,
        "counts": one.counts,
        "isthmus_version": one.version,
    }


def kept_json(one: KeptConflict) -> dict[str, Any]:
    return {
        "identity": one.name,
        "id": one.id,
        "kind": one.kind,
        "message": one.message,
        "documents": one.documents,
        "more": one.more,
        "answers": one.answers,
    }


def member_json(one: MemberRow) -> dict[str, Any]:
    from isthmus.state import source_ids

    return {
        "identity": one.name,
        "mode": one.mode,
        "thing": one.canonical_id,
        "collection": one.collection,
        "_id": source_ids.show(one.source_id, shorten=False),
        "own_id": one.own_id,
        "place": one.place,
        "why": one.why,
        "reason": one.reason,
    }


def write_map(connection: psycopg.Connection, stream: TextIO, one: IdentityMap) -> int:
    """Write one map, thing by thing, and return how many there were; memory stays flat but for what is in none."""
    import json

    from isthmus.state import source_ids
    from isthmus.state.identities import export_map

    head = json.dumps({key: value for key, value in map_json(one).items() if key != "counts"}, ensure_ascii=False)
    stream.write(head[:-1] + ', "things": [')
    none: list[dict[str, Any]] = []
    count = 0
    for thing, documents in _by_thing(export_map(connection, one.name, one.mode)):
        if thing is None:
            none += [
                {"collection": c, "_id": source_ids.show(s, shorten=False), "why": why, "reason": reason}
                for c, s, why, reason in documents
            ]
            continue
        by_collection: dict[str, list[str]] = {}
        for collection, source_id, _, _ in documents:
            by_collection.setdefault(collection, []).append(source_ids.show(source_id, shorten=False))
        line = json.dumps({"id": thing, "documents": by_collection}, ensure_ascii=False)
        stream.write(("," if count else "") + "\n  " + line)
        count += 1
    stream.write('\n], "none": ' + json.dumps(none, ensure_ascii=False, indent=1) + "}")
    return count


def _by_thing(
    rows: Iterator[tuple[str | None, str, bytes, str, str | None]],
) -> Iterator[tuple[str | None, list[tuple[str, bytes, str, str | None]]]]:
    from itertools import groupby

    for thing, group in groupby(rows, key=lambda row: row[0]):
        yield thing, [row[1:] for row in group]
