"""How something is planted: a place for it, and the verbs of the catalogue, each with what must come of it.

A plant changes one sound document and says what must become of it, so that no plant touches another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bson import ObjectId

from apps.generating.outcomes import Outcome, holds, instant, json_holds, kept_aside, letter, orphan, points
from apps.nextcrm.generator.ids import Ids, label

Document = dict[str, Any]
Fate = Literal["carried", "letter", "merged", "apart"]
"""`apart`: carried, but under an id that no sound document points at."""


class Spot:
    """Where something is planted: the document, its number, and whom it may point at.

    Args:
        ids: The ids of the database.
        collection: The document's collection.
        number: Its number.
        sound: Gives the number of a document that becomes a row of its own, for a collection and any number.
        lost: Numbers of documents that become dead letters, by collection.
        twins: Numbers of users that are joined into the user before them.
        apart: Numbers of documents that have an `_id` of their own kind, by collection.
    """

    def __init__(
        self,
        ids: Ids,
        collection: str,
        number: int,
        sound: Callable[[str, int], int],
        lost: dict[str, list[int]],
        twins: list[int],
        apart: dict[str, list[int]],
    ) -> None:
        self.ids, self.collection, self.number = ids, collection, number
        self._sound = sound
        self.lost, self.twins, self.apart = lost, twins, apart

    def other(self, collection: str, shift: int = 0) -> int:
        """The number of a sound document of another collection."""
        return self._sound(collection, self.number + shift)

    def id(self, collection: str, shift: int = 0) -> ObjectId:
        """The id of that document."""
        return self.ids.of(collection, self.other(collection, shift))

    def label(self, collection: str, shift: int = 0) -> str:
        """Its label."""
        return label(collection, self.other(collection, shift))

    def gone(self, shift: int = 0) -> ObjectId:
        """An id that no document has."""
        return self.ids.gone(self.number * 10 + shift)

    def created(self) -> str:
        """The instant inside the document's own id."""
        return instant(datetime.fromtimestamp(self.ids.created(self.collection, self.number), UTC))


@dataclass(frozen=True)
class Do:
    """A change of a document.

    Attributes:
        path: The field it is about.
        change: Changes the document and says what must come of it.
        fate: What becomes of the document.
    """

    path: str
    change: Callable[[Spot, Document], list[Outcome]]
    fate: Fate = "carried"


@dataclass(frozen=True)
class Plant:
    """One kind of thing that is planted.

    Attributes:
        name: Unique among the plants of a collection.
        silent: Whether the real run carried it without a word.
    """

    name: str
    silent: bool
    do: Do


def silent(name: str, do: Do) -> Plant:
    """A plant that the real run carried without a word."""
    return Plant(name, silent=True, do=do)


def loud(name: str, do: Do) -> Plant:
    """A plant that the real run would have lost a batch over, or named in its log."""
    return Plant(name, silent=False, do=do)


def _put(path: str, value: Any, outcome: Outcome, fate: Fate = "carried") -> Do:
    def change(_spot: Spot, document: Document) -> list[Outcome]:
        document[path] = value
        return [outcome]

    return Do(path, change, fate)


def becomes(path: str, value: Any, stored: Any) -> Do:
    """A value, and what the column then holds."""
    return _put(path, value, holds(path, stored))


def becomes_json(path: str, value: Any, stored: Any) -> Do:
    """A value of a jsonb column, and the JSON it then holds."""
    return _put(path, value, json_holds(path, stored))


def refused(path: str, value: Any, code: str) -> Do:
    """A value that makes its document a dead letter."""
    return _put(path, value, letter(code), "letter")


def no_id(path: str, text: str) -> Do:
    """A text where an id belongs."""
    return _put(path, text, orphan(path, text))


def missing(path: str, stored: Any) -> Do:
    """No such field, and what the column then holds."""

    def change(_spot: Spot, document: Document) -> list[Outcome]:
        document.pop(path, None)
        return [holds(path, stored)]

    return Do(path, change)


def missing_refused(path: str) -> Do:
    """No such field, though there must be one."""

    def change(_spot: Spot, document: Document) -> list[Outcome]:
        document.pop(path, None)
        return [letter("required")]

    return Do(path, change, "letter")


def time_of_id(path: str, *, null: bool) -> Do:
    """No instant, or a null, where the column must have one: the time inside the id takes its place."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        document.pop(path, None)
        if null:
            document[path] = None
        return [holds(path, spot.created())]

    return Do(path, change)


def gone(path: str) -> Do:
    """An id that no document has, in an optional field."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        document[path] = spot.gone()
        return [orphan(path, spot.gone())]

    return Do(path, change)


def gone_refused(path: str) -> Do:
    """An id that no document has, in a required field."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        document[path] = spot.gone()
        return [letter("orphan"), orphan(path, spot.gone(), "dead_letter")]

    return Do(path, change, "letter")


def wrong(path: str, collection: str) -> Do:
    """The id of a document of a collection that is not meant."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        document[path] = spot.id(collection)
        return [orphan(path, spot.id(collection))]

    return Do(path, change)


def pointing(path: str, collection: str) -> Do:
    """The id of a document, where sound documents hold none or hold it as text."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        document[path] = spot.id(collection)
        return [points(path, collection, spot.label(collection))]

    return Do(path, change)


def as_text(path: str, collection: str) -> Do:
    """An id as its 24 hex digits."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        document[path] = str(spot.id(collection))
        return [points(path, collection, spot.label(collection))]

    return Do(path, change)


def dangling(path: str, junction: str, column: str, collection: str | None = None) -> Do:
    """An id in an array that nothing of the meant collection has; of another collection, where one is named."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        stray = spot.gone() if collection is None else spot.id(collection)
        document[path] = [*(document.get(path) or []), stray]
        return [orphan(column, stray, "drop", junction)]

    return Do(path, change)


def aside(**values: Any) -> Do:
    """Fields that an older application wrote, and this one does not know."""

    def change(_spot: Spot, document: Document) -> list[Outcome]:
        document.update(values)
        return [kept_aside(key, value) for key, value in values.items()]

    return Do(next(iter(values)), change)
