"""What one document's conversion reports beside its rows: refusals, changes, references, leftovers.

Decides nothing; it is the paper the other modules write on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from isthmus.verify.reference.became import Word
from isthmus.verify.reference.bson import Value

MAX_CAUSES = 16
"""A rejected document names at most this many causes."""


class Refusal(Exception):  # noqa: N818  (an outcome of a rule, caught and turned into a rejection)
    """One value does not fit, and no policy says what to do instead.

    Attributes:
        code: One of the reject codes.
        path: Keys and array positions from the value that was being converted to the one at fault.
    """

    def __init__(self, code: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.path = path


@dataclass
class Journal:
    """Everything noted while one document is converted.

    Attributes:
        causes: (code, path) of each refusal, in the order met.
        adjusted: How often each `table.column:kind` happened.
        became: How often at each `table.column:kind` something was one thing and became another.
        references: How many values that are not null each `table.column` (or `table.column.path` in jsonb) refers with.
        id_map: (collection, `{"_id": value}` as BSON, id text, origin) of each hashed id.
        extras: How many values each leftover path kept; positions in arrays are left out of the path.
        dropped: How many values each dropped path had, its path as in `extras`.
        listed: (`table.column`, kind, original) of each replaced or normalised value that the result does not tell.
    """

    causes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    adjusted: Counter[str] = field(default_factory=Counter[str])
    became: Counter[tuple[str, Word, Word]] = field(default_factory=Counter[tuple[str, Word, Word]])
    references: Counter[str] = field(default_factory=Counter[str])
    id_map: list[tuple[str, bytes, str, str]] = field(default_factory=list[tuple[str, bytes, str, str]])
    extras: Counter[str] = field(default_factory=Counter[str])
    dropped: Counter[str] = field(default_factory=Counter[str])
    listed: list[tuple[str, str, Value]] = field(default_factory=list[tuple[str, str, Value]])

    def adjust(self, place: str, kind: str) -> None:
        """Count one change of kind `kind` at `table.column`."""
        self.adjusted[f"{place}:{kind}"] += 1

    def tell(self, place: str, kind: str, was: Word, became: Word) -> None:
        """Count what one change of kind `kind` at `table.column` put in the place of what."""
        self.became[f"{place}:{kind}", was, became] += 1

    def noted(self, place: str) -> Callable[[str], None]:
        """Counts changes at one `table.column`."""
        return lambda kind: self.adjust(place, kind)

    def listing(self, place: str, original: Value) -> Callable[[str], None]:
        """Lists changes of one value at one `table.column`."""
        return lambda kind: self.listed.append((place, kind, original))
