"""The document models that a project names: modules, or classes in them, imported."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from isthmus.errors import ConfigError, Problem, Where
from isthmus.govern.models.loading import load_module
from isthmus.govern.settings import Project


def load_documents(project: Project, named: Sequence[str]) -> list[ModuleType | type]:
    """Import what is named, all of it before anything is told.

    Args:
        project: Where modules are looked for.
        named: Modules, or `module:class`.

    Raises:
        ConfigError: What is named is not there or cannot be imported; `problems` holds every finding where there are
            several.
    """
    found: list[ModuleType | type] = []
    faults: list[ConfigError] = []
    for one in named:
        try:
            found.append(_loaded(project, one))
        except ConfigError as fault:
            faults.append(fault)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise ConfigError(
            f"{len(faults)} of {len(named)} modules with documents cannot be looked at.",
            code=faults[0].code,
            problems=tuple(Problem(one.code, one.message, one.where, one.hint) for one in faults),
        )
    return found


def _loaded(project: Project, named: str) -> ModuleType | type:
    where = Where(file=str(project.file), path=f"documents: {named}")
    module, colon, path = named.partition(":")
    found: object = load_module(project, module, where)
    for name in path.split(".") if colon else ():
        if not hasattr(found, name):
            raise ConfigError(
                f"{module} has no {path!r}: there is no {name!r}.",
                code="models-missing",
                where=where,
                hint="Name a class of it, or the module alone for all of them.",
            )
        found = getattr(found, name)
    if not isinstance(found, ModuleType | type):
        raise ConfigError(
            f"{named} is no class.",
            code="bad-models",
            where=where,
            hint="Name a class of documents, or the module alone for all of them.",
        )
    return found
