"""A tree of files as git knows it: path → what stands there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

FILE, EXECUTABLE, LINK, MODULE = "100644", "100755", "120000", "160000"
"""Modes of git's trees (git help update-index, git-fast-import)."""

ALL = "."
"""The folder that is all of a repository, as git is asked for it."""


@dataclass(frozen=True)
class Blob:
    """One entry of a tree.

    Attributes:
        path: From the repository's root, with `/`.
        mode: Six octal digits.
        oid: Name of the object that git keeps; hex.
    """

    path: str
    mode: str
    oid: str


@dataclass(frozen=True)
class Tree:
    """The entries below some folders.

    Attributes:
        name: What it is, for people: `the index`, `HEAD`, `origin/main`.
        blobs: Path → entry.
    """

    name: str
    blobs: Mapping[str, Blob] = field(default_factory=dict[str, Blob])

    def below(self, folder: str) -> Iterator[Blob]:
        """Yield what stands in a folder and in folders in it, by path."""
        start = f"{folder}/" if folder else ""
        for path in sorted(self.blobs):
            if path.startswith(start):
                yield self.blobs[path]

    def __contains__(self, path: str) -> bool:
        return path in self.blobs


def from_root(folder: str, path: str) -> str:
    """Return a path from a folder as one from the repository's root; `folder` is empty for the root itself."""
    return f"{folder}/{path}" if folder else path
