"""Collections of a retired phase that a person brought back from their exports: they count as not retired again."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.errors import GovernError

from .phases import Phase
from .retire_plan import Ground, aside, kinds_of
from .retirements import read_retirements, take_back
from .returned import look_at


def take_restored(ground: Ground, phase: Phase, say: Callable[[str], None], *, live: bool) -> int:
    """Take back the retirement of what is in MongoDB again, whole; return of how many collections.

    That there was one stays written down.

    Args:
        ground: Where.
        phase: The phase.
        say: Told of each collection, a sentence.
        live: Write it down; else it is only said.

    Raises:
        GovernError: One is there, and lacks something of what was carried (code `not-restored`); nothing was written.
        SourceError: The server is in trouble.
    """
    kinds, recorded = kinds_of(ground), read_retirements(ground.connection)
    whole, faults = list[str](), list[str]()
    for name in ground.standings[phase.number].collections:
        before = recorded.get(name)
        if before is None:
            continue
        if aside(name) in kinds:
            faults.append(f"{name}: it stands under {aside(name)}; rename it.")
        elif name not in kinds:
            say(f"{name}: it is not in MongoDB, and stays retired.")
        else:
            found = look_at(ground.server, ground.database, name, before, ground.leaving)
            if found.is_whole:
                whole.append(name)
            else:
                faults.append(found.told)
    if faults:
        raise GovernError(
            " ".join(faults),
            code="not-restored",
            hint="Nothing was written. Bring back every document that was exported (mongorestore, without indexes that"
            " let documents expire), or drop what nobody wants: docs/how-to/retire-mongodb.md.",
        )
    for name in whole:
        if live:
            take_back(ground.connection, name)
        say(f"{name}: it {'counts' if live else 'would count'} as not retired, for it holds all that was exported.")
    return len(whole)
