"""Git repositories of tests: made anew, with plain git, and nothing of the user's settings."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


class Git:
    """A repository in a folder of its own.

    Args:
        folder: An empty folder, or one that is a repository already.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / ".git").exists():
            self("init", "--quiet", "--initial-branch", "main")

    @classmethod
    def copied(cls, other: Path, folder: Path) -> Git:
        """Return a copy of a repository, in a folder that is made; sooner than to make it again."""
        shutil.copytree(other, folder, symlinks=True, dirs_exist_ok=True)
        made = cls.__new__(cls)
        made.folder = folder
        return made

    def __call__(self, *words: str) -> str:
        """Run git, and return what it printed."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.org",
            "GIT_EDITOR": "true",
        }
        done = subprocess.run(
            ["git", *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}{done.stdout}"
        return done.stdout

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file of the working tree, and return where."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def add(self, path: str, text: str | bytes) -> None:
        """Write a file and stage it."""
        self.write(path, text)
        self("add", "--", path)

    def move(self, old: str, new: str) -> None:
        """Rename a file and stage that."""
        (self.folder / new).parent.mkdir(parents=True, exist_ok=True)
        self("mv", old, new)

    def commit(self, message: str = "change") -> None:
        """Commit what is staged, hooks passed over."""
        self("commit", "--quiet", "--no-verify", "--allow-empty", "--message", message)
