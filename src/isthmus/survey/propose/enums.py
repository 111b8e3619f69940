"""Which texts are words of a fixed list, and become an enum. Pure.

The rule: 2 to 12 different values over at least 50 texts, ten of each on average and none only once; every one a single
short word, all in one case, or the field's name says that it is a list (status, type, kind, …).
"""

from __future__ import annotations

import re

from isthmus.mapping.names import fold
from isthmus.mapping.types import TypeFault, parse_type
from isthmus.survey.profile import Node

_LEAST_VALUES = 50
_MOST_LABELS = 12
_LEAST_EACH = 10
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*")
_LONGEST = 40
_LISTS = frozenset(
    {
        "status",
        "state",
        "type",
        "kind",
        "role",
        "level",
        "priority",
        "stage",
        "category",
        "gender",
        "sex",
        "currency",
        "language",
        "locale",
        "visibility",
        "severity",
        "mode",
        "method",
        "phase",
        "plan",
        "tier",
        "channel",
        "platform",
    }
)


def find_labels(key: str, node: Node) -> list[str] | None:
    """Return the labels of a field's enum, the most frequent first; None where it is no list of words."""
    if set(node.kinds) != {"string"} or node.values is None or node.filled < _LEAST_VALUES:
        return None
    if node.texts is None or node.texts.invalid_utf8 or node.texts.nul:
        return None
    labels = {str(value): count for (kind, value), count in node.values if kind == "s"}
    if not 2 <= len(labels) <= _MOST_LABELS or sum(labels.values()) != node.filled:
        return None
    if node.filled < _LEAST_EACH * len(labels) or min(labels.values()) < 2:
        return None
    if not all(len(label) <= _LONGEST and _WORD.fullmatch(label) for label in labels):
        return None
    named = fold(key).rsplit("_", 1)[-1] in _LISTS
    if not (named or all(label.isupper() for label in labels) or all(label.islower() for label in labels)):
        return None
    return sorted(labels, key=lambda label: (-labels[label], label))


def case_only(labels: list[str]) -> list[str]:
    """Return the labels that differ from another one in upper and lower case only."""
    folded = [label.lower() for label in labels]
    return [label for label in labels if folded.count(label.lower()) > 1]


def is_type_name(name: str) -> bool:
    """Tell whether a name is one of a built-in type, and so cannot be an enum's."""
    try:
        parse_type(name, ())
    except TypeFault:
        return name == "enum"
    return True
