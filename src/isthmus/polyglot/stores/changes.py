"""Fields set and removed in one document, as MongoDB does it: what is no change is refused for both stores. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from isthmus.errors import PolyglotError
from isthmus.polyglot.outbox.intent import MARK
from isthmus.polyglot.stores import faults
from isthmus.polyglot.stores.form import is_document, to_bson, value_to_json


class Changes:
    """What is to become of some fields.

    Args:
        set_: Path → value.
        unset: Paths.
        collection: Named in errors.

    Attributes:
        set: Path → value.
        unset: Paths.

    Raises:
        PolyglotError: It is no change (`store-path`), or a value is none (`store-document`).
    """

    def __init__(self, set_: Mapping[str, Any] | None, unset: Iterable[str], collection: str) -> None:
        self.set = dict(set_ or {})
        self.unset = (unset,) if isinstance(unset, str) else tuple(unset)
        self._collection = collection
        self._check_paths()
        to_bson({str(number): value for number, value in enumerate(self.set.values())}, collection)

    def applied_to(self, document: dict[str, Any]) -> None:
        """Change a document, given as JSON values of the form.

        Raises:
            PolyglotError: Something on the way is no document (code `store-path`).
        """
        for path, value in self.set.items():
            *way, last = path.split(".")
            inner = document
            for step in way:
                below = inner.setdefault(step, {})
                if not is_document(below):
                    raise self.not_viable(path)
                inner = below
            inner[last] = value_to_json(value)
        for path in self.unset:
            _remove(document, path.split("."))

    def not_viable(self, path: str) -> PolyglotError:
        """Return the error for a path that leads through something that is no document."""
        return faults.no_path("something on the way is no document", self._collection, path)

    def _check_paths(self) -> None:
        if not self.set and not self.unset:
            raise faults.no_path("nothing is set or removed", self._collection, "")
        seen: set[tuple[str, ...]] = set()
        for path in (*self.set, *self.unset):
            steps = checked_steps(path, self._collection)
            if steps[0] in {"_id", MARK}:
                raise faults.no_path(f"{steps[0]} is not for changing", self._collection, path)
            if steps in seen:
                raise faults.no_path("it is named twice", self._collection, path)
            seen.add(steps)
        for steps in seen:
            if any(steps[:length] in seen for length in range(1, len(steps))):
                raise faults.no_path("it lies inside another one", self._collection, ".".join(steps))


def checked_steps(path: object, collection: str) -> tuple[str, ...]:
    """Return the names on a path that leads through documents.

    Raises:
        PolyglotError: It is none (code `store-path`).
    """
    if not isinstance(path, str) or not all(path.split(".")) or "\0" in path or not _is_text(path):
        raise faults.no_path("it is no text of names with dots between", collection, repr(path))
    steps = tuple(path.split("."))
    if any(step.startswith("$") for step in steps):
        raise faults.no_path("a part begins with $, which MongoDB takes for an operator", collection, path)
    if any(step.isdecimal() for step in steps[1:]):
        raise faults.no_path("a part is a number, which may be a position in an array or a name", collection, path)
    return steps


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _remove(document: dict[str, Any], steps: list[str]) -> None:
    *way, last = steps
    inner: Any = document
    for step in way:
        inner = inner.get(step) if is_document(inner) else None
    if is_document(inner):
        inner.pop(last, None)
