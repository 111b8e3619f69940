"""What an annotation is to Python at run time, below aliases, new types and None. Pure."""

from __future__ import annotations

import types
from typing import Annotated, Any, NewType, Union, get_args, get_origin

_NONE = type(None)


def base_of(annotation: object) -> tuple[type | None, bool]:
    """Return the class whose values an annotation takes, and whether it takes None besides.

    The class is None where there are several, or where it is none, such as `Any`.
    """
    plain = undressed(annotation)
    if get_origin(plain) in {Union, types.UnionType}:
        found = [base_of(one) for one in get_args(plain) if one is not _NONE]
        optional = _NONE in get_args(plain) or any(one[1] for one in found)
        kinds = {one[0] for one in found}
        return (kinds.pop() if len(kinds) == 1 else None), optional
    return (plain if isinstance(plain, type) and get_origin(plain) is None else None), False


def undressed(annotation: object) -> object:
    """Return an annotation without `Annotated`, aliases (`type X = …`) and new types around it."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        elif (value := aliased(annotation)) is not None:
            annotation = value
        else:
            return annotation


def aliased(annotation: object) -> object | None:
    """Return what an alias stands for, as `type X = …` makes it or typing_extensions; None where it is none."""
    alias: Any = get_origin(annotation) or annotation
    if type(alias).__name__ != "TypeAliasType":
        return None
    given = get_args(annotation)
    return alias.__value__[given] if given and getattr(alias.__value__, "__parameters__", ()) else alias.__value__


def spelt(annotation: object) -> str:
    """Return an annotation as people write it, without what `Annotated` adds."""
    plain = undressed(annotation)
    if isinstance(plain, type) and get_origin(plain) is None:
        return plain.__name__
    return str(plain).replace("typing.", "")
