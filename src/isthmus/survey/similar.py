"""How much the name of a field speaks for a collection. Pure.

Names prove nothing; they only decide between what the values leave equal, and ask less of values that are few.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-zß-öø-ÿ]+|[^\W\d_]+|[0-9]+")
_MEANS_REFERENCE = frozenset({"id", "ref", "key", "oid"})
_SAYS_REFERENCE = _MEANS_REFERENCE | {"code", "no", "number"}

CLEAR = 0.7
"""From here on a name speaks for a collection, and not only of something that both have to do with."""


@lru_cache(4096)
def words(name: str) -> tuple[str, ...]:
    """Return the words of a name, lower-case and singular: `crm_Account_Contacts` is crm, account, contact."""
    return tuple(_singular(word.lower()) for word in _WORD.findall(name))


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word


def says_reference(field: str, *, surely: bool = False) -> bool:
    """Tell whether the name of a field says that it refers to something: `linkedIDs`, `owner_ref`, `account_number`.

    Args:
        field: The name.
        surely: Whether a number or code of something, such as `page_number`, is too little.
    """
    said = words(field)
    return len(said) > 1 and said[-1] in (_MEANS_REFERENCE if surely else _SAYS_REFERENCE)


@lru_cache(65536)
def likeness(field: str, collection: str) -> float:
    """Return 0 to 1: how much the name of a field speaks for references to a collection.

    1: it is the collection's name; 0.7: one ends as the other does; 0.4: they have a word in common; 0: nothing.
    """
    said = tuple(word for word in words(field) if word not in _SAYS_REFERENCE)
    named = words(collection)
    if not said or not named:
        return 0.0
    if said == named:
        return 1.0
    if said[-1] == named[-1]:
        return CLEAR
    return 0.4 if set(said) & set(named) else 0.0


def last_word(name: str, *, said: bool = False) -> str:
    """Return the word by which a name says what it is of; empty where it has none.

    Args:
        name: A collection's name, or a text.
        said: Whether words such as `id` at its end are passed over, as `likeness` does with a field's.
    """
    found = [word for word in words(name) if not (said and word in _SAYS_REFERENCE)]
    return found[-1] if found else ""


def is_same_name(field: str, key: str) -> bool:
    """Tell whether a field has the name of a key."""
    return bool(words(field)) and words(field) == words(key)
