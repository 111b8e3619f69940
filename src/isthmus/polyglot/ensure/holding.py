"""What a field holds, from an annotation or from the model that declares it. Pure.

Apart from `belonging` because it needs pydantic and SQLAlchemy, which who gives `str` need not load.
"""

from __future__ import annotations

from typing import Any

from isthmus.errors import PolyglotError
from isthmus.polyglot.ensure.belonging import PLAIN
from isthmus.polyglot.references.fields import Unread, is_model, own_annotations
from isthmus.polyglot.references.forms import Form
from isthmus.polyglot.references.types import base_of, spelt
from isthmus.polyglot.references.within import Met, met_in


def form_held(holds: object, path: str) -> Form:
    """Return what the keys in a field look like.

    Args:
        holds: An annotation, with or without a reference, or a model of documents.
        path: The field, in the model.

    Raises:
        PolyglotError: The model does not declare the field, or its type is none of a key (code `ensure-belonging`); a
            reference leads to no key (`pg-ref`).
    """
    annotation = holds
    if isinstance(holds, type) and is_model(holds):
        annotation = _declared(holds, path)
    references = [one for one in met_in(annotation) if isinstance(one, Met) and not one.path]
    if references and references[0].base is not None:
        return references[0].reference.form_beside(references[0].base)
    base, _ = base_of(annotation)
    if references or base not in PLAIN:
        raise PolyglotError(
            f"{spelt(annotation)}, which {path} holds, is no type of a key.",
            code="ensure-belonging",
            hint='Give str, UUID, int, or an annotation with one reference: Annotated[str, PgRef["users.id"]].',
        )
    return PLAIN[base]


def _declared(model: type, path: str) -> object:
    """Return the annotation of the field at a path, through models that stand in fields.

    Raises:
        PolyglotError: It is not declared (code `ensure-belonging`).
    """
    models, annotation = [model], None
    for name in path.split("."):
        found = [one for kind in models for one in _fields(kind, name)]
        if not found:
            raise PolyglotError(
                f"{model.__name__} declares no field {path}.",
                code="ensure-belonging",
                hint="Name the field as it stands in documents, or give the annotation itself.",
            )
        annotation = found[0]
        models = [one for one in met_in(annotation) if isinstance(one, type)]
    return annotation


def _fields(kind: type, name: str) -> list[object]:
    """Return the annotations of the fields that documents call `name`, the class's own before those of its bases."""
    found: list[object] = []
    for one in kind.__mro__:
        aliases = _aliases(one)
        for field in own_annotations(one):
            if not isinstance(field, Unread) and aliases.get(field[0], field[0]) == name:
                found.append(field[1])
    return found


def _aliases(kind: type) -> dict[str, str]:
    """Return what pydantic calls fields in documents, where that is not their name."""
    fields: dict[str, Any] = getattr(kind, "model_fields", {})
    return {name: one.alias for name, one in fields.items() if isinstance(getattr(one, "alias", None), str)}
