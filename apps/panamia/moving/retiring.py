"""Retiring a phase: the export of its collections, and dropping them one by one.

Each is put aside under another name before it is looked at for the last time, so that whoever still writes to it is
seen, and loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isthmus.errors import GovernError
from isthmus.state.switches import keep_from_switching
from isthmus.work.amounts import plural

from .contents import Contents, contents_of, on_server
from .exporting import Export, already_there, export_collection, export_file, make_folder, read_again, write_manifest
from .leaving_out import Change, as_it_is, left_out
from .phases import Phase
from .retire_plan import Ground, Plan, aside, kinds_of
from .retirements import (
    Retirement,
    announce,
    manifest,
    note_dropped,
    note_returned,
    read_retirements,
    take_back,
)


def note_found(ground: Ground, made: Plan) -> None:
    """Write down which collections are there again, and which are gone though nobody had time to say so."""
    for one in made.returned:
        note_returned(ground.connection, one.collection)
    for name in made.unnoted:
        note_dropped(ground.connection, name)


def retire(
    ground: Ground, made: Plan, folder: Path, look_again: Callable[[], Plan], say: Callable[[str], None]
) -> dict[str, Export]:
    """Export what a phase has in MongoDB, read it again, and drop it; return the exports.

    Safe to call again after any end. Each collection is dropped on its own: the target says before it that its export
    is whole, and behind it that it is gone.

    Args:
        ground: Where.
        made: What is retired; nothing stands in its way.
        folder: Where exports go.
        look_again: Makes the plan anew; asked when all is exported, before anything is dropped.
        say: Told what was done, a sentence at a time.

    Raises:
        ConfigError: An export cannot be written, or is broken. What was not announced is not dropped.
        TargetError: Somebody moves a collection to another database now (code `switch-held`).
        GovernError: Somebody wrote to a collection meanwhile (code `collection-changed`), which stays; or made one
            anew that was put aside or dropped (code `collection-returned`), whose retirement is not complete then.
        SourceError: The server is in trouble.
    """
    announced = read_retirements(ground.connection)
    keep_from_switching(ground.connection, made.going)
    ground.connection.commit()
    exports: dict[str, Export] = {}
    for name in made.going:
        before = announced.get(name)
        said, clear = _exported(ground, name, folder) if before is None else (_known(before, name), 0)
        exports[name] = said
        secret = f", without {plural(said.left_out, 'secret value')}" if said.left_out else ""
        secret += f", with {plural(clear, 'secret value')} in clear text" if clear else ""
        say(f"{name}: {said.contents.documents:,} documents exported to {said.file}{secret}, and read again.")
    why = look_again().in_the_way if set(exports) - set(announced) else []
    if why:
        raise GovernError(
            f"Something changed while it was exported: {' '.join(why)}",
            code="collection-changed",
            hint="Nothing more was dropped. See to it, and export it to another folder.",
        )
    before = {name: one for name, one in announced.items() if name in {*made.gone, *made.unnoted}}
    _list(made, before, exports, folder)
    for name in made.absent:
        announce(ground.connection, made.phase.number, name, Retirement(0, None, "", is_dropped=False))
        note_dropped(ground.connection, name)
    for name, export in exports.items():
        if name not in announced:
            one = Retirement(export.contents.documents, export.file, export.sha256, is_dropped=False)
            announce(ground.connection, made.phase.number, name, one)
        _drop(ground, name, export)
        say(f"{name}: dropped.")
    _refuse_returned(ground, made.phase)
    return exports


def _refuse_returned(ground: Ground, phase: Phase) -> None:
    """See that no collection of a phase is there again behind its drop."""
    back = sorted(kinds_of(ground).keys() & set(ground.standings[phase.number].collections))
    for name in back:
        note_returned(ground.connection, name)
    if back:
        raise _made_anew(", ".join(back), "was dropped", "What was exported of it is whole.")


def _exported(ground: Ground, name: str, folder: Path) -> tuple[Export, int]:
    """Export a collection and hold it against the server; return how many secrets stand there in clear text, too."""
    without, clear = ground.leaving.of(name), 0

    def counted(raw: bytes) -> bytes:
        nonlocal clear
        clear += left_out(without(raw)) - left_out(raw)
        return raw

    change = as_it_is if ground.with_secrets else without
    export = export_collection(ground.server, ground.database, name, folder, change)
    if _contents(ground, name, counted if ground.with_secrets else without) != export.contents:
        raise already_there(export_file(folder, ground.database, name), f"does not hold what {name} has now")
    return export, clear


def _known(before: Retirement, name: str) -> Export:
    """Read an export that was announced, and hold it against what was said of it."""
    if before.file is None:
        raise _made_anew(name, "was retired without an export", "It was not there then.")
    export = read_again(before.file)
    if export.sha256 != before.sha256:
        raise already_there(before.file, f"is not the export of {name} any more that was made before it was to go")
    return export


def _list(made: Plan, dropped: Mapping[str, Retirement], exports: Mapping[str, Export], folder: Path) -> None:
    """Write the list of exports, those of an earlier session with them; one that has them stays as it is."""
    files: dict[str, dict[str, Any]] = {
        name: {"file": str(one.file), "sha256": one.sha256, "documents": one.documents}
        for name, one in dropped.items()
        if one.file is not None
    }
    for name, one in exports.items():
        files[name] = {
            "file": str(one.file.absolute()),
            "sha256": one.sha256,
            **asdict(one.contents),
            "secret_values_left_out": one.left_out,
        }
    if not files:
        return
    make_folder(folder)
    write_manifest(
        manifest(folder, made.phase.number),
        {"database": made.database, "phase": made.phase.number, "name": made.phase.name, "collections": files},
    )


def _drop(ground: Ground, name: str, export: Export) -> None:
    """Put a collection aside, look at it for the last time, and drop it. One that is gone already is noted as that."""
    database, names = ground.server.client[ground.database], kinds_of(ground)
    whole = f"{aside(name)} has all that was there before; nothing of it was dropped."
    if aside(name) not in names and name in names:
        ground.server.ask("rename it", lambda: database[name].rename(aside(name)), collection=name)
    if aside(name) in kinds_of(ground):
        last = _contents(ground, aside(name), ground.leaving.of(name) if export.left_out else as_it_is)
        if last != export.contents:
            raise _changed_meanwhile(ground, name, export.contents, last)
        if name in kinds_of(ground):
            raise _made_anew(name, "was put aside to be dropped", whole)
        ground.server.ask("drop it", lambda: database.drop_collection(aside(name)), collection=name)
    if name in kinds_of(ground):
        raise _made_anew(name, "was dropped", f"What was exported of it is whole: {export.file}.")
    note_dropped(ground.connection, name)


def _made_anew(name: str, since: str, there: str) -> GovernError:
    return GovernError(
        f"Somebody writes to {name} still: it is there again since it {since}, with documents that nobody carried.",
        code="collection-returned",
        hint=f"{there} Nothing more was dropped, and the phase is not retired. Stop who writes there; the same command"
        " without --live says what is new, and docs/how-to/retire-mongodb.md what to do with it.",
    )


def _changed_meanwhile(ground: Ground, name: str, then: Contents, now: Contents) -> GovernError:
    """Put a collection back under its name, and say that it was written to."""
    database = ground.server.client[ground.database]
    back = name not in kinds_of(ground)
    if back:
        ground.server.ask("rename it", lambda: database[aside(name)].rename(name), collection=name)
        take_back(ground.connection, name)
    where = "It is there as it was" if back else f"It is there as {aside(name)}, for somebody has made {name} anew"
    return GovernError(
        f"Somebody wrote to {name} since it was exported: it had {then.documents:,} documents, and has"
        f" {now.documents:,} now, or others.",
        code="collection-changed",
        hint=f"{where}; nothing of it was dropped. Stop who writes there, carry the phase again, verify it, and export"
        " it to another folder.",
    )


def _contents(ground: Ground, collection: str, change: Change) -> Contents:
    return contents_of(map(change, on_server(ground.server, ground.database, collection)))
