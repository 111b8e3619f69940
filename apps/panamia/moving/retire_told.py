"""What `phase retire` tells: what would go, what stands in the way, and which code still names MongoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isthmus.polyglot.named_in_code import look_through
from isthmus.work.amounts import plural

from .exporting import Export
from .phases import Phase, Standing
from .retire_plan import Plan

_SHOWN = 40


def show_plan(made: Plan) -> None:
    """Print what retiring would do."""
    name = f"phase {made.phase.number} ({made.phase.name}) of {made.database}"
    if made.carried_from is not None:
        print(f"It was carried from the {made.carried_from}.")
    if made.going:
        print(f"Retiring {name} drops:")
        for collection, documents in made.going.items():
            behind = "  (left behind on purpose)" if collection in made.phase.left else ""
            print(f"  {collection:<32}{documents:>12,} documents{behind}")
    if made.gone or made.unnoted:
        print(f"  gone already: {', '.join([*made.gone, *made.unnoted])}")
    if made.absent:
        print(f"  not in {made.database}, so that nothing is exported of it: {', '.join(made.absent)}")
    for one in made.live:
        if one.known:
            print(f"  {one.place}: {one.known:,} references lead there, and were acknowledged.")
    if made.in_the_way:
        print(f"In the way of retiring {name}:")
        for why in made.in_the_way:
            print(f"  • {why}")
    else:
        print("Nothing stands in the way.")
    if made.returned:
        print("What nobody wants of it can be dropped by hand. What is wanted is carried once all that was exported is")
        print(f"there again: retire {made.phase.number} --restored (docs/how-to/retire-mongodb.md).")


def on_secrets(with_secrets: bool) -> str:
    """Return what exports hold of secrets, in a sentence or two."""
    if with_secrets:
        return (
            "Warning: the exports hold tokens and password hashes in clear text. They are for their owner alone (0600);"
            " keep them where secrets are kept."
        )
    return (
        "Values of secret fields stand in no export: keyed digests stand in their places. --with-secrets exports them"
        " too, which is the only way back into MongoDB."
    )


def code_naming(folders: list[Path], standing: Standing) -> list[str] | None:
    """Return the lines that still name MongoDB or a collection of the phase, by file and line; None: nobody asked."""
    if not folders:
        return None
    found = look_through(folders, standing.collections)
    named = [f"{one.file}:{one.line}: {', '.join(one.names)}" for one in found.named]
    return [*named, *(f"not looked at: {why}" for why in found.unread)]


def show_code(code: list[str] | None) -> None:
    """Print the lines of code that were found."""
    if code is None:
        print("What code still names MongoDB or these collections is not known: --code FOLDER looks.")
        return
    print(f"{plural(len(code), 'line')} of code, settings and dependencies naming MongoDB or these collections:")
    for line in code[:_SHOWN]:
        print(f"  {line}")
    if len(code) > _SHOWN:
        print(f"  … and {len(code) - _SHOWN:,} more: --json has them")


def early_json(phase: Phase, database: str | None, outcome: str, told: Sequence[str], *, live: bool) -> dict[str, Any]:
    """Return as JSON values what was found where nothing was to be exported or dropped.

    Args:
        phase: The phase.
        database: The MongoDB database; None where none was asked.
        outcome: `nothing-to-retire`, `retired-already`, `restored` or `not-restored`.
        told: What was said, sentences.
        live: Whether it was written down, where something was.
    """
    return {
        "phase": phase.number,
        "name": phase.name,
        "database": database,
        "outcome": outcome,
        "live": live,
        "told": list(told),
    }


def as_json(made: Plan, exports: Mapping[str, Export], outcome: str, code: list[str] | None) -> dict[str, Any]:
    """Return what was found and done as JSON values."""
    return {
        "phase": made.phase.number,
        "name": made.phase.name,
        "database": made.database,
        "carried_from": made.carried_from,
        "outcome": outcome,
        "going": made.going,
        "gone": [*made.gone, *made.unnoted],
        "absent": made.absent,
        "returned": [asdict(one) for one in made.returned],
        "in_the_way": made.in_the_way,
        "references": [{"place": one.place, "live": one.count, "acknowledged": one.known} for one in made.live],
        "exports": {
            name: {
                "file": str(one.file),
                "sha256": one.sha256,
                "documents": one.contents.documents,
                "bytes": one.contents.size_bytes,
                "secret_values_left_out": one.left_out,
            }
            for name, one in exports.items()
        },
        "code": code,
    }
