"""Which models were changed between two trees. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from isthmus.govern.changes.globs import Globs
from isthmus.govern.repository.differences import how_changed
from isthmus.govern.repository.tree import Blob, Tree

What = Literal["added", "changed", "deleted"]


@dataclass(frozen=True)
class ModelChange:
    """A model that is not what it was.

    Attributes:
        path: From the repository's root.
        what: What became of it. A renamed one is one deleted and one added: what git takes for a rename is a guess.
        how: The same for people.
    """

    path: str
    what: What
    how: str


def models_of(tree: Tree, globs: Globs) -> dict[str, Blob]:
    """Return path → file of the models that a tree holds."""
    return {path: blob for path, blob in tree.blobs.items() if globs.match(path)}


def changed_models(before: Mapping[str, Blob], now: Mapping[str, Blob]) -> list[ModelChange]:
    """Return what became of models, by path; their mode, and that they are plain files, count as much as their text."""
    tree = Tree("now", now)
    found: list[ModelChange] = []
    for path in sorted({*before, *now}):
        if path not in before:
            found.append(ModelChange(path, "added", "was added"))
        elif (how := how_changed(before[path], tree, before)) is not None:
            found.append(ModelChange(path, "changed" if path in now else "deleted", how))
    return found
