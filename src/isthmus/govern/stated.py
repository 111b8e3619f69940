"""What is wrong with a table of settings, as a sentence for who wrote it. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_SENTENCES = {
    "missing": "it is missing",
    "string_type": "it must be a text",
    "tuple_type": "it must be a list",
    "dict_type": "it must be a table",
    "dataclass_type": "it must be a table",
    "date_type": "it must be a day",
}
"""Pydantic's kind of error → what a person is told; those of others are told in its words."""


def wrong(error: ErrorDetails, known: Collection[str]) -> str:
    """Return what is wrong, without capital and full stop.

    Args:
        error: One finding of pydantic.
        known: The keys that could stand where it was found.
    """
    kind = error["type"]
    if kind == "unexpected_keyword_argument":
        near = difflib.get_close_matches(str(error["loc"][-1]), known, 1)
        others = f"perhaps {near[0]} is meant" if near else f"there are: {', '.join(known)}"
        return f"there is no such setting; {others}"
    if kind == "value_error":
        return str(error["ctx"]["error"]) if "ctx" in error else error["msg"]
    if kind == "literal_error":
        return f"it must be {error['ctx']['expected']}" if "ctx" in error else error["msg"]
    return _SENTENCES.get(kind, error["msg"])


def path_of(error: ErrorDetails, *, one_table: str | None) -> str | None:
    """Return where it stands, as `schema[1].folder`; None for the whole.

    Args:
        error: One finding of pydantic.
        one_table: The key of a list that the file has as a single table, so that no number is told.
    """
    text = ""
    for part in error["loc"]:
        if isinstance(part, int):
            text += "" if text == one_table else f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text or None
