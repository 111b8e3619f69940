"""The references in an annotation, however deep they stand in it. Pure."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NewType, TypeVar, Union, cast, get_args, get_origin

from isthmus.polyglot.references.fields import given_to, is_model
from isthmus.polyglot.references.reference import Reference
from isthmus.polyglot.references.types import aliased

_AROUND = frozenset({"Annotated", "ClassVar", "Final", "Required", "NotRequired", "ReadOnly", "InitVar"})
"""What stands around a type and changes nothing of it."""
_UNIONS: tuple[object, ...] = (Union, types.UnionType)


@dataclasses.dataclass(frozen=True)
class Met:
    """A reference in an annotation.

    Attributes:
        path: Where it stands in a value of that type, behind the field's name: `[]` an element, `.*` a value.
        reference: The reference.
        base: The type beside it; None where it stands alone, as a type of its own.
    """

    path: str
    reference: Reference
    base: object


def met_in(annotation: object, path: str = "") -> Iterator[Met | type]:
    """Yield the references in an annotation, and the classes of models in it, which are not looked into here."""
    if isinstance(annotation, Reference):
        yield Met(path, annotation, None)
    elif (value := aliased(annotation)) is not None:
        yield from met_in(value, path)
    elif isinstance(annotation, NewType):
        yield from met_in(annotation.__supertype__, path)
    elif isinstance(annotation, TypeVar):
        for one in (annotation.__bound__, *annotation.__constraints__):
            yield from met_in(one, path)
    elif isinstance(annotation, list):  # the arguments of a Callable
        for one in cast("list[object]", annotation):
            yield from met_in(one, path)
    else:
        yield from _met_in_type(annotation, path)


def _met_in_type(annotation: object, path: str) -> Iterator[Met | type]:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *more = get_args(annotation)
        for one in more:
            if isinstance(one, Reference):
                yield Met(path, one, base)
        yield from met_in(base, path)
    elif origin is not None:
        yield from _met_in_many(annotation, origin, path)
    elif isinstance(annotation, dataclasses.InitVar):
        yield from met_in(cast("Any", annotation).type, path)
    elif isinstance(annotation, type):
        for one in given_to(annotation):
            yield from met_in(one, path)
        if is_model(annotation):
            yield annotation


def _met_in_many(annotation: object, origin: object, path: str) -> Iterator[Met | type]:
    arguments = get_args(annotation)
    if origin in _UNIONS or getattr(origin, "__name__", getattr(origin, "_name", "")) in _AROUND:
        deeper = [path] * len(arguments)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        deeper = [f"{path} key", f"{path}.*"]
    elif isinstance(origin, type) and is_model(origin):
        deeper = [path] * len(arguments)
        yield origin
    else:
        deeper = [f"{path}[]"] * len(arguments)
    for place, one in zip(deeper, arguments, strict=False):
        yield from met_in(one, place)
