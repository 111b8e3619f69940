"""Ask git: trees of the index and of commits, the contents of blobs, where branches parted.

Every call is one process that reads and never writes. The environment is passed on, `GIT_INDEX_FILE` and `GIT_DIR`
of a hook included; nothing of the working tree is looked at.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from isthmus.errors import ConfigError
from isthmus.govern.repository.tree import Blob, Tree


class Repository:
    """A git repository.

    Attributes:
        root: Top of its working tree.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def around(cls, place: Path) -> Repository:
        """Return the repository around a folder.

        Raises:
            ConfigError: There is none (code `no-repository`), or git is not installed (`no-git`).
        """
        found = _run(place, ["rev-parse", "--show-toplevel"])
        if found.returncode:
            raise ConfigError(
                f"{place} lies in no git repository: {_said(found)}",
                code="no-repository",
                hint="Migrations are checked as git holds them. Run this inside of the repository.",
            )
        return cls(Path(os.fsdecode(found.stdout.removesuffix(b"\n"))))

    def index(self, folders: Iterable[str]) -> Tree:
        """Return what would be committed now, below some folders.

        Raises:
            ConfigError: The index holds a merge that is not settled (code `unmerged`).
        """
        blobs: dict[str, Blob] = {}
        for entry in self._listed(["ls-files", "--stage", "-z", "--", *folders]):
            facts, _, path = entry.partition("\t")
            mode, oid, stage = facts.split()
            if stage != "0":
                raise ConfigError(
                    f"{path} is not merged yet.", code="unmerged", hint="Settle the conflict, git add it, then check."
                )
            blobs[path] = Blob(path, mode, oid)
        return Tree("the index", blobs)

    def tree(self, revision: str, folders: Sequence[str], *, name: str | None = None) -> Tree:
        """Return what a commit holds below some folders."""
        blobs: dict[str, Blob] = {}
        for entry in self._listed(["ls-tree", "-r", "-z", "--full-tree", revision, "--", *folders]):
            facts, _, path = entry.partition("\t")
            mode, _, oid = facts.split()
            blobs[path] = Blob(path, mode, oid)
        return Tree(name or revision, blobs)

    def read(self, blobs: Iterable[Blob]) -> dict[str, bytes]:
        """Return oid → content, in one call of git; a submodule has none."""
        wanted = sorted({one.oid for one in blobs if one.mode != "160000"})
        if not wanted:
            return {}
        done = self._git(["cat-file", "--batch"], given="\n".join(wanted).encode() + b"\n")
        found: dict[str, bytes] = {}
        at = 0
        for oid in wanted:
            end = done.index(b"\n", at)
            size = int(done[at:end].split()[2])
            found[oid] = done[end + 1 : end + 1 + size]
            at = end + 1 + size + 1
        return found

    def commit(self, revision: str) -> str | None:
        """Return the commit that a revision names; None where it names none."""
        found = _run(self.root, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"])
        return found.stdout.decode().strip() or None

    def parted(self, one: str, other: str) -> str | None:
        """Return the last commit that two have in common; None where they have none."""
        found = _run(self.root, ["merge-base", one, other])
        return found.stdout.decode().strip() or None

    def branch(self) -> str:
        """Return the name of the branch that is checked out; empty where none is."""
        found = _run(self.root, ["symbolic-ref", "--quiet", "--short", "HEAD"])
        return os.fsdecode(found.stdout).strip()

    def hooks(self) -> Path:
        """Return the folder of its hooks, wherever the settings have it."""
        return self.root / os.fsdecode(self._git(["rev-parse", "--git-path", "hooks"]).removesuffix(b"\n"))

    def untracked(self, folders: Sequence[str]) -> list[str]:
        """Return files of the working tree that git neither holds nor ignores; the one thing asked of the working
        tree, to say what is not looked at."""
        return self._listed(["ls-files", "--others", "--exclude-standard", "-z", "--", *folders])

    def _listed(self, words: Sequence[str]) -> list[str]:
        return [os.fsdecode(one) for one in self._git(words).split(b"\0") if one]

    def _git(self, words: Sequence[str], *, given: bytes | None = None) -> bytes:
        done = _run(self.root, words, given=given)
        if done.returncode:
            raise ConfigError(f"git {words[0]} failed: {_said(done)}", code="git-failed", hint="Run it by hand to see.")
        return done.stdout


def _run(place: Path, words: Sequence[str], *, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603  a fixed program; its words are ours
            ["git", "-c", "core.quotePath=false", *words],  # noqa: S607  whatever git the user has
            cwd=place,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            check=False,
            env={**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
        )
    except FileNotFoundError:
        raise ConfigError(
            "git is not installed.", code="no-git", hint="Install git; isthmus reads what it holds."
        ) from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"
