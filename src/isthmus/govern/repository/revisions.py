"""The commits that the index is compared with: HEAD, the base, and where the two parted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from isthmus.errors import ConfigError
from isthmus.govern.repository.git import Repository


@dataclass(frozen=True)
class Revisions:
    """Commits, each as its name for people and its id.

    Attributes:
        head: None before the first commit.
        parted: Where HEAD parted from the base.
        tip: The base as it is now.
    """

    head: tuple[str, str] | None
    parted: tuple[str, str] | None = None
    tip: tuple[str, str] | None = None

    @property
    def known(self) -> list[tuple[str, str]]:
        """Those that there are."""
        return [one for one in (self.head, self.parted, self.tip) if one is not None]

    def compared(self, *, staged: bool) -> tuple[str, str] | None:
        """Return the one that changes are told against; None before the first commit.

        Args:
            staged: Whether that is HEAD alone; else it is where the branch parted from its base, if that is known.
        """
        return self.head if staged else self.parted or self.head


def find_revisions(repository: Repository, base: str | None, *, given: bool) -> Revisions:
    """Look up HEAD and the base.

    Args:
        repository: Whose commits.
        base: Revision that the branch will be merged into; None without one.
        given: Whether somebody asked for it now, so that it must be there; else the settings name it.

    Raises:
        ConfigError: A base that was asked for is no revision (code `no-base`), or has no commit in common with HEAD
            (`no-common-commit`).
    """
    commit = repository.commit("HEAD")
    head = ("HEAD", commit) if commit is not None else None
    tip = repository.commit(base) if base is not None else None
    if tip is None and given:
        raise ConfigError(
            f"{base} is no revision of this repository.",
            code="no-base",
            hint="Fetch it (in CI: with enough history), or name another one.",
        )
    if base is None or tip is None:
        return Revisions(head)
    parted = commit if commit == tip else repository.parted(commit, tip) if commit is not None else None
    if parted is None and commit is not None and given:
        raise ConfigError(
            f"HEAD and {base} have no commit in common here, so nothing tells what the branch did.",
            code="no-common-commit",
            hint="Fetch the whole history (git fetch --unshallow; in CI: a checkout with depth 0).",
        )
    return Revisions(head, (base, parted) if parted is not None else None, (base, tip))


def base_unasked(base: str | None, found: Revisions) -> Iterator[str]:
    """Say where nothing could be compared with the base that the settings name."""
    if base is not None and found.tip is None:
        yield (
            f"There is no {base} here, which the settings name as the base: nothing was compared with it. git fetch "
            "brings it."
        )
