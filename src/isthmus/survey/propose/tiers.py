"""Indexes that no MongoDB index asks for: the second and third tier beside those of foreign keys. Pure.

Second: fields that lists are filtered and sorted by, known by their names. Third: names and descriptions, which people
search for words in.
"""

from __future__ import annotations

from isthmus.mapping.names import fold

_FILTERS = frozenset({"status", "state", "type", "kind", "stage", "role", "priority", "category", "owner", "assignee"})
_TIMES = frozenset({"created", "updated", "modified", "deleted", "published", "due", "expires"})
_WORDS = frozenset(
    {"name", "title", "description", "subject", "headline", "summary", "firstname", "lastname", "fullname", "label"}
)


def is_filter(key: str, type_: str) -> bool:
    """Tell whether a column is one that lists are filtered or sorted by: `task_status`, `createdAt`, `owner`."""
    words = fold(key).split("_")
    if type_ in {"timestamptz"}:
        return bool(_TIMES & set(words))
    return type_ not in {"jsonb", "bytea", "boolean"} and (words[-1] in _FILTERS or words[0] == "owner")


def is_searched(key: str) -> bool:
    """Tell whether people look for words in a text: `name`, `product_title`, `shortDescription`."""
    return fold(key).rsplit("_", 1)[-1] in _WORDS
