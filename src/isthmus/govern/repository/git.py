"""Ask git: trees of the index and of commits, the contents of blobs, where branches parted.

Every call is one process that reads; only `move` and `stage` write. The environment is passed on, `GIT_INDEX_FILE` and
`GIT_DIR` of a hook included; nothing of the working tree is looked at, but where a method says so.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from isthmus.errors import ConfigError
from isthmus.govern.repository.history import Touched, read_touched
from isthmus.govern.repository.tree import MODULE, Blob, Tree

_MERGED = "GITHEAD_"
_EMPTY = frozenset(
    {
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    }
)
"""Names of the empty object (git hash-object of nothing), by SHA-1 and by SHA-256."""


class Repository:
    """A git repository.

    Folders and files are named from its root; `ALL` stands for all of it.

    Attributes:
        root: Top of its working tree.
    """

    def __init__(self, root: Path, own: Path | None = None) -> None:
        self.root = root
        self._own = own

    @classmethod
    def around(cls, place: Path) -> Repository:
        """Return the repository around a folder.

        Raises:
            ConfigError: There is none (code `no-repository`), or git is not installed (`no-git`).
        """
        found = _run(place, ["rev-parse", "--show-toplevel", "--absolute-git-dir"])
        if found.returncode:
            raise ConfigError(
                f"{place} lies in no git repository: {_said(found)}",
                code="no-repository",
                hint="What is looked at is what git holds. Run this inside of the repository; git init makes one.",
            )
        root, _, own = os.fsdecode(found.stdout.removesuffix(b"\n")).partition("\n")
        return cls(Path(root), Path(own))

    def index(self, folders: Sequence[str]) -> Tree:
        """Return what would be committed now, below some folders.

        Raises:
            ConfigError: The index holds a merge that is not settled (code `unmerged`).
        """
        blobs: dict[str, Blob] = {}
        for entry in self._listed(["ls-files", "--stage", "-z"], folders):
            facts, _, path = entry.partition("\t")
            mode, oid, stage = facts.split()
            if stage != "0":
                raise ConfigError(
                    f"{path} is not merged yet.", code="unmerged", hint="Settle the conflict, git add it, then check."
                )
            blobs[path] = Blob(path, mode, oid)
        for path in self._only_announced([one.path for one in blobs.values() if one.oid in _EMPTY]):
            blobs.pop(path, None)
        return Tree("the index", blobs)

    def _only_announced(self, paths: Sequence[str]) -> list[str]:
        """Return which of some empty files are not there at all: `git add --intent-to-add` puts them into the index,
        and no commit takes them."""
        return self._listed(["diff-files", "--name-only", "--diff-filter=A", "-z"], paths)

    def tree(self, revision: str, folders: Sequence[str], *, name: str | None = None) -> Tree:
        """Return what a commit holds below some folders."""
        blobs: dict[str, Blob] = {}
        for entry in self._listed(["ls-tree", "-r", "-z", "--full-tree", revision], folders):
            facts, _, path = entry.partition("\t")
            mode, _, oid = facts.split()
            blobs[path] = Blob(path, mode, oid)
        return Tree(name or revision, blobs)

    def read(self, blobs: Iterable[Blob]) -> dict[str, bytes]:
        """Return oid → content, in one call of git; a submodule has none.

        Raises:
            ConfigError: Git lacks one of them (code `git-failed`).
        """
        wanted = sorted({one.oid for one in blobs if one.mode != MODULE})
        if not wanted:
            return {}
        done = self._git(["cat-file", "--batch"], given="\n".join(wanted).encode() + b"\n")
        found: dict[str, bytes] = {}
        at = 0
        for oid in wanted:
            end = done.index(b"\n", at)
            said = done[at:end].split()
            if len(said) != 3:  # name, kind, size; else it says `missing`
                raise ConfigError(
                    f"Git has no content for object {oid}, which a file that is checked should hold.",
                    code="git-failed",
                    hint="git fsck says what is broken; git fetch --refetch brings it again.",
                )
            size = int(said[2])
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

    def merging(self) -> list[tuple[str, str]]:
        """Return name and id of the commits that a merge brings in; none where no merge is going on.

        While git asks a hook before a merge without conflicts it has not written them down yet, but says them in the
        environment (`GITHEAD_…`).
        """
        own = self._own or Path(os.fsdecode(self._git(["rev-parse", "--absolute-git-dir"]).removesuffix(b"\n")))
        try:
            written = (own / "MERGE_HEAD").read_text(encoding="ascii").split()
        except FileNotFoundError:
            written = []
        said = {name.removeprefix(_MERGED): word for name, word in os.environ.items() if name.startswith(_MERGED)}
        alone = len(written) == 1
        return [
            (said.get(oid) or ("MERGE_HEAD" if alone else oid[:12]), oid) for oid in dict.fromkeys([*written, *said])
        ]

    def touched(self, since: str | None, folders: Sequence[str]) -> list[Touched]:
        """Return what the commits that HEAD has and another one has not did below some folders: a merge, what it added
        to all that it joined.

        Args:
            since: The other one, such as the base; None for all of HEAD.
            folders: From the repository's root.
        """
        beyond = ["HEAD", *([f"^{since}"] if since is not None else [])]
        graph = self._git(["rev-list", "--parents", *beyond]).decode()
        wanted = self._git(["rev-list", "--full-history", *beyond, "--", *folders])
        told = self._git(
            ["diff-tree", "--stdin", "-r", "-c", "-z", "--root", "--no-renames", "--name-status", "--", *folders],
            given=wanted,
        )
        return read_touched(graph, [os.fsdecode(one) for one in told.split(b"\0") if one], set(wanted.decode().split()))

    def renamed(self, folders: Sequence[str]) -> dict[str, str]:
        """Return new path → old path of what git takes for renamed between HEAD and the working tree: a guess."""
        how = ["--no-ext-diff", "--find-renames", "--diff-filter=R", "--name-status", "-z"]
        words = self._listed(["diff", *how, "HEAD"], folders)
        return dict(zip(words[2::3], words[1::3], strict=True))

    def is_ignored(self, path: Path) -> bool:
        """Tell whether git passes over a path of the working tree."""
        words = ["--no-literal-pathspecs", "check-ignore", "--quiet", "--", str(path)]  # it takes no pathspecs
        return _run(self.root, words).returncode == 0

    def move(self, old: str, new: str) -> None:
        """Rename a file in the working tree and in the index; a folder that is empty then goes.

        Raises:
            ConfigError: Something is there already, or git cannot write (code `git-failed`).
        """
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        self._git(["mv", "--", old, new])
        with suppress(OSError):  # there is something else in it
            (self.root / old).parent.rmdir()

    def stage(self, paths: Sequence[str]) -> None:
        """Take files of the working tree into the index."""
        if paths:
            self._git(["add", "--", *paths])

    def branch(self) -> str:
        """Return the name of the branch that is checked out; empty where none is."""
        found = _run(self.root, ["symbolic-ref", "--quiet", "--short", "HEAD"])
        return os.fsdecode(found.stdout).strip()

    def hooks(self) -> Path:
        """Return the folder of its hooks, wherever the settings have it."""
        return self.root / os.fsdecode(self._git(["rev-parse", "--git-path", "hooks"]).removesuffix(b"\n"))

    def untracked(self, folders: Sequence[str]) -> list[str]:
        """Return files of the working tree that git neither holds nor ignores; asked of the working tree only to say
        what is not looked at, as `unstaged` is."""
        return self._listed(["ls-files", "--others", "--exclude-standard", "-z"], folders)

    def unstaged(self, paths: Sequence[str]) -> list[str]:
        """Return which files of some folders the working tree has otherwise than the index, or not at all."""
        how = ["--porcelain", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=all"]
        return [one[3:] for one in self._listed(["status", *how], paths) if one[1] != " "]

    def _listed(self, words: Sequence[str], paths: Sequence[str]) -> list[str]:
        """Return what git lists of some paths; nothing of none, which git would take for all."""
        return [os.fsdecode(one) for one in self._git([*words, "--", *paths]).split(b"\0") if one] if paths else []

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
            env={**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"},
        )
    except FileNotFoundError:
        raise ConfigError(
            "git is not installed.", code="no-git", hint="Install git; isthmus reads what it holds."
        ) from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"
