"""The fields that document models declare: pydantic's, dataclasses, typed dictionaries, named tuples, attrs'."""

from __future__ import annotations

import builtins
import dataclasses
import inspect
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ForwardRef, cast, get_origin, get_type_hints

from pydantic import BaseModel

from isthmus.polyglot.references.reference import Reference

Annotations = dict[str, Any]
_MARKS = ("__dataclass_fields__", "__attrs_attrs__", "__struct_fields__", "_fields")
"""What dataclasses, attrs, msgspec and named tuples leave on their classes."""


@dataclasses.dataclass(frozen=True)
class Unread:
    """An annotation that cannot be read.

    Attributes:
        name: The field.
        why: What stands against it, the end of a sentence.
    """

    name: str
    why: str


def is_model(kind: type) -> bool:
    """Tell whether a class describes documents: a model of pydantic, a dataclass, a typed dictionary and the like."""
    if BaseModel in kind.__mro__:
        return kind is not BaseModel
    return any(hasattr(kind, mark) for mark in _MARKS) or is_typed_dictionary(kind)


def is_typed_dictionary(kind: type) -> bool:
    """Tell whether a class is a `TypedDict`: it has the fields of its bases as its own."""
    return dict in kind.__mro__ and hasattr(kind, "__total__")


def bases_of(kind: type) -> Iterator[object]:
    """Yield what a class is made of, as it is written: `Page[UserId]` of `class Users(Page[UserId])`."""
    yield from getattr(kind, "__orig_bases__", ()) if "__orig_bases__" in vars(kind) else kind.__bases__
    made_of = _generic(kind)
    if made_of is not None:
        yield made_of


def own_annotations(kind: type) -> Iterator[tuple[str, Any] | Unread]:
    """Yield name and annotation of each field that a class itself declares, those of its bases left out.

    Annotations that are texts, or hold some, are read in the class's module. Of pydantic's models that are whole it is
    known what they stand for.
    """
    try:
        written = inspect.get_annotations(kind)
    except Exception as fault:  # noqa: BLE001  what an annotation says is the project's
        yield Unread("", _why(fault))
        return
    inherited: set[str] = set()
    if is_typed_dictionary(kind):
        for base in getattr(kind, "__orig_bases__", ()):
            inherited |= set(getattr(get_origin(base) or base, "__annotations__", ()))
    known = _known_to_pydantic(kind)
    for name, annotation in written.items():
        if name in inherited:
            continue
        if name in known:
            yield name, known[name]
            continue
        try:
            yield name, _read(kind, name, annotation)
        except Exception as fault:  # noqa: BLE001  the same
            yield Unread(name, _why(fault))


def _known_to_pydantic(kind: type) -> Annotations:
    if BaseModel not in kind.__mro__:
        return {}
    model = cast("type[BaseModel]", kind)
    found: Annotations = {}
    for name, one in model.model_fields.items() if model.__pydantic_complete__ else ():
        found[name] = one.annotation
        for extra in one.metadata:
            found[name] = Annotated[found[name], extra]
    return found


def _read(kind: type, name: str, annotation: object) -> object:
    if isinstance(annotation, Reference):
        return annotation
    module = sys.modules.get(kind.__module__)
    of_module = vars(module) if module is not None else {}
    parameters = {one.__name__: one for one in getattr(kind, "__type_params__", ())}
    # What a module names comes before what a class does: a field may be called as its type is.
    names = {**vars(kind), **vars(builtins), **of_module, **parameters, kind.__name__: kind}
    text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation
    if isinstance(text, str):
        found = eval(text, names)  # noqa: S307  the module's own text, as typing itself reads it
        if isinstance(found, Reference):
            return found
        annotation = found

    def holder() -> None: ...

    holder.__annotations__ = {name: annotation}
    return get_type_hints(holder, names, include_extras=True)[name]


def given_to(kind: type) -> Iterable[object]:
    """Return what a generic model of pydantic was made with: `UserId` of `Page[UserId]`."""
    made: dict[str, Any] = getattr(kind, "__pydantic_generic_metadata__", {})
    return made.get("args", ())


def _generic(kind: type) -> type | None:
    made: dict[str, Any] = getattr(kind, "__pydantic_generic_metadata__", {})
    return made.get("origin")


def _why(fault: Exception) -> str:
    return f"{type(fault).__name__}: {' '.join(str(fault).split()) or 'it says nothing'}"
