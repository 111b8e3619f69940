"""All references of some modules: in the fields of models, of models within those, and in types that have a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Annotated, get_origin

from isthmus.errors import Problem, Where
from isthmus.polyglot.references.fields import Unread, bases_of, given_to, is_model, own_annotations
from isthmus.polyglot.references.places import file_of, place_of_alias, place_of_field
from isthmus.polyglot.references.reference import Reference
from isthmus.polyglot.references.types import aliased
from isthmus.polyglot.references.within import Met, met_in


@dataclass(frozen=True)
class Use:
    """A reference where it stands.

    Attributes:
        where: File and line of the field; its path is the model, the field and the place in its values.
        reference: The reference.
        base: The type beside it; None where it stands alone.
    """

    where: Where
    reference: Reference
    base: object


@dataclass
class Found:
    """What was found.

    Attributes:
        models: The classes that were looked at.
        uses: The references, in the order of the models.
        unread: What cannot be read of the project's own models.
    """

    models: list[type] = field(default_factory=list[type])
    uses: list[Use] = field(default_factory=list[Use])
    unread: list[Problem] = field(default_factory=list[Problem])


def references_of(places: Iterable[ModuleType | type], folder: Path) -> Found:
    """Find the references of modules or single classes.

    Of a module these are the classes that it or a module below it declares, models before others: of a class that is
    no model what cannot be read is passed over. Models in the types of fields are looked into as well, wherever they
    come from.

    Args:
        places: The modules and classes.
        folder: The project's: in models of others what cannot be read is passed over.
    """
    found = Found()
    modules: list[ModuleType] = []
    waiting: list[type] = []
    for place in places:
        if isinstance(place, type):
            waiting.append(place)
        else:
            modules.append(place)
            waiting += _classes_of(place)
    seen: set[type] = set()
    while waiting:
        kind = waiting.pop(0)
        if kind in seen:
            continue
        seen.add(kind)
        waiting += _look_into(found, kind, folder)
    used = {id(one.reference) for one in found.uses}
    for module in modules:
        found.uses += [one for one in _names_of(module) if id(one.reference) not in used]
    return found


def _look_into(found: Found, kind: type, folder: Path) -> Iterator[type]:
    found.models.append(kind)
    for base in bases_of(kind):
        yield from _entered(found, kind, "", base)
    for one in own_annotations(kind):
        if not isinstance(one, Unread):
            yield from _entered(found, kind, *one)
        elif is_model(kind) and _is_ours(kind, folder):
            where = place_of_field(kind, one.name)
            found.unread.append(
                Problem(
                    "pg-ref-unread",
                    f"The type of {where.path} cannot be read: {one.why}.",
                    where,
                    "Import what it names where it runs, not for type checkers only.",
                )
            )


def _entered(found: Found, kind: type, name: str, annotation: object) -> Iterator[type]:
    for one in met_in(annotation):
        if isinstance(one, Met):
            where = place_of_field(kind, name)
            where = Where(file=where.file, line=where.line, path=f"{where.path}{one.path}")
            found.uses.append(Use(where, one.reference, one.base))
        else:
            yield one


def _classes_of(module: ModuleType) -> list[type]:
    own = f"{module.__name__}."
    classes = [
        one
        for one in list(vars(module).values())
        if isinstance(one, type) and get_origin(one) is None and f"{one.__module__}.".startswith(own)
    ]
    for one in classes:  # classes within classes, at any depth, are reached while the list grows
        classes += [
            inner
            for inner in vars(one).values()
            if isinstance(inner, type)
            and inner.__qualname__.startswith(f"{one.__qualname__}.")
            and inner.__module__ == one.__module__
        ]
    return sorted(dict.fromkeys(classes), key=lambda one: not is_model(one))


def _names_of(module: ModuleType) -> Iterator[Use]:
    for name, value in list(vars(module).items()):
        named = get_origin(value) is Annotated or aliased(value) is not None
        if not named and not (isinstance(value, type) and given_to(value)):
            continue
        where = place_of_alias(module, name)
        for one in met_in(value) if where is not None else ():
            if isinstance(one, Met) and where is not None:
                yield Use(where, one.reference, one.base)


def _is_ours(kind: type, folder: Path) -> bool:
    file = file_of(kind)
    return file is not None and Path(file).is_relative_to(folder) and "site-packages" not in Path(file).parts
