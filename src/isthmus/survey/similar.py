"""How much the name of a field speaks for a collection. Pure.

Names prove nothing; they only decide between what the values leave equal, and ask more of values that are few.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SAYS_REFERENCE = frozenset({"id", "ids", "ref", "refs", "key", "keys", "oid", "code", "no", "number"})


def words(name: str) -> tuple[str, ...]:
    """Return the words of a name, lower-case and singular: `crm_Account_Contacts` is crm, account, contact."""
    return tuple(_singular(word.lower()) for word in _WORD.findall(name))


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word


def says_reference(field: str) -> bool:
    """Tell whether the name of a field says that it refers to something: `linkedIDs`, `owner_ref`."""
    said = words(field)
    return len(said) > 1 and said[-1] in {"id", "ref", "key", "oid"}


def likeness(field: str, collection: str, key: str = "_id") -> float:
    """Return 0 to 1: how much the name of a field speaks for references to a collection's key.

    1: it is the collection's name, or its key's; 0.5: one of them ends as the other does; 0: nothing in common.
    """
    said = tuple(word for word in words(field) if word not in _SAYS_REFERENCE)
    named = words(collection)
    if key != "_id" and words(field) and words(field) == words(key):
        return 1.0
    if not said or not named:
        return 0.0
    if said in (named, words(key)):
        return 1.0
    if said[-1] == named[-1]:
        return 0.7
    return 0.4 if set(said) & set(named) else 0.0
