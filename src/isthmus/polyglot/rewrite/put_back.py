"""What of a document is put back: which values that were written still stand in it, and where. Pure.

A value is known by what was written. Where a writer has moved it within its array, it is found there; where a writer
has replaced it, that writer's value stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bson import Int64

from isthmus.polyglot.mark import RevisionEnd, revision_end
from isthmus.polyglot.rewrite.documents import Read, held, holding, standing
from isthmus.polyglot.rewrite.settle import like
from isthmus.polyglot.rewrite.updates import Change, Replacement
from isthmus.polyglot.sites import Place, found
from isthmus.state.rewrites import Line

_LONGEST_ID = 1_000
"""Characters; a longer text is no id that anybody wrote."""


@dataclass
class Back:
    """What becomes of the lines of one document.

    Attributes:
        lines: All of them.
        standing: Lines whose value stands in the document, with where it does.
        settled: Lines with nothing to put back: the old value stands there, or a later line is of the same value.
        changed: Lines whose value a writer has replaced, each with the text that stands there now, where it may be an
            id of a row.
        gone: Whether the document is gone; nothing is said of its lines then.
        ends: What makes those conflict who read the document before, through a store.
    """

    lines: list[Line]
    standing: list[tuple[Line, Place]] = field(default_factory=list[tuple[Line, Place]])
    settled: list[Line] = field(default_factory=list[Line])
    changed: list[tuple[Line, str | None]] = field(default_factory=list[tuple[Line, str | None]])
    gone: bool = False
    ends: RevisionEnd = field(default_factory=lambda: RevisionEnd({}, {}))

    @property
    def source_id(self) -> bytes:
        """`{"_id": value}` of the document, as BSON."""
        return self.lines[0].source_id

    def change(self, most: int, *, tried: bool) -> Change:
        """Return what is done to the document: the first of the values that are put back, at most so many."""
        back = (Replacement(place, line.new_text, holding(line.old_value)) for line, place in self.standing[:most])
        return Change(self.source_id, tuple(back), self.ends, tried)


def back(lines: Sequence[Line], read: Read | None) -> Back:
    """Decide what of a document is put back.

    Args:
        lines: What was written into it, the newest line first.
        read: The document as it is now; None when it is gone.
    """
    result = Back(list(lines))
    if read is None:
        result.gone = True
        return result
    result.ends = revision_end(read.content)
    claimed: set[Place] = set()
    left: list[Line] = []
    for line in lines:
        if line.path not in claimed and standing(read.content, line.path) == line.new_text:
            claimed.add(line.path)
            result.standing.append((line, line.path))
        else:
            left.append(line)
    lost: list[Line] = []
    for line in left:
        moved = _moved_to(line, read, claimed)
        if moved is None:
            lost.append(line)
        else:
            claimed.add(moved)
            result.standing.append((line, moved))
    written_since = {line.path: line.id for line, _ in reversed(result.standing)}
    for line in lost:
        settled = held_at(read, line.path) == line.old_value or written_since.get(line.path, 0) > line.id
        if settled:
            result.settled.append(line)
        else:
            result.changed.append((line, None if line.path in claimed else _as_id(standing(read.content, line.path))))
    return result


def _as_id(value: object) -> str | None:
    """Return the text of a value that may be an id of a row; None of any other."""
    text = str(value) if type(value) in (int, Int64) else value
    return text if isinstance(text, str) and len(text) <= _LONGEST_ID and "\0" not in text else None


def held_at(read: Read, place: Place) -> bytes:
    """Return `{"": value}` as BSON of what stands at a concrete path; of null where nothing does."""
    return held(standing(read.content, place))


def _moved_to(line: Line, read: Read, claimed: set[Place]) -> Place | None:
    """Return where a value stands now that nobody else claims; None where it is nowhere."""
    if not any(isinstance(step, int) for step in line.path):
        return None
    places = (place for place, value in found(read.content, like(line)) if value == line.new_text)
    return next((place for place in places if place not in claimed), None)
