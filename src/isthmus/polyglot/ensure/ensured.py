"""What `ensure` came to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

How = Literal["found", "claimed", "created", "none", "taken", "ambiguous"]
"""How a document came to belong to a row, or why none does."""

D = TypeVar("D", bound=Mapping[str, Any])


@dataclass(frozen=True)
class Ensured(Generic[D]):
    """The document of a row, or why there is none.

    Attributes:
        how: `found`: it belonged to the row already. `claimed`: it belonged to nobody and had the e-mail; now it is the
            row's. `created`: it was made now. `none`: there is none, and the caller lets none be created. `taken`: the
            documents with this e-mail belong to other rows, be it since this very moment. `ambiguous`: several
            documents that belong to nobody have this e-mail; a person decides. Of the last three nothing was written.
        document: The document as MongoDB has it; None where there is none.
        others: Of `taken` and `ambiguous` the `_id`s of the documents that are meant, 20 at most.
    """

    how: How
    document: D | None = None
    others: tuple[Any, ...] = ()
