"""Git's hooks pre-commit and pre-merge-commit: where they stand so that they last, and isthmus put into them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from isthmus.errors import ConfigError, Where
from isthmus.govern.hook_blocks import has_block, with_block, without_blocks
from isthmus.govern.hook_makers import maker_of
from isthmus.govern.repository.git import Repository

HOOKS = ("pre-commit", "pre-merge-commit")
"""A merge without conflicts runs the second one only (git help githooks)."""
_SHELL = re.compile(r"#!\s*(/usr/bin/env\s+)?(/\S*/)?(ba|da|k|z|a)?sh(\s.*)?")

Done = Literal["written", "added", "renewed", "unchanged", "removed"]


@dataclass(frozen=True)
class Hook:
    """One hook file.

    Attributes:
        file: Where it is.
        done: What was done.
    """

    file: Path
    done: Done


def install(repository: Repository, commands: Sequence[str], executable: str, *, place: str = "") -> list[Hook]:
    """Let git run commands before every commit and merge commit; safe to repeat.

    Args:
        repository: Whose hooks.
        commands: What isthmus is asked, such as `schema check --staged`.
        executable: Where isthmus is, for who has it not on the path. A hook that is committed has it only where it
            lies in the working tree.
        place: The project's folder, from the repository's root; empty for the root itself.

    Raises:
        ConfigError: There is nothing to ask (code `nothing-to-ask`), a hook that is there is no shell script
            (`hook-in-the-way`), or another tool writes the hooks (`hooks-of-a-tool`); nothing was written. Or a file
            cannot be written (`hook-not-written`).
    """
    if not commands:
        raise ConfigError(
            "There is nothing that a hook could ask: the settings name neither migrations nor models.",
            code="nothing-to-ask",
            hint="Write [schema] or [changes] into isthmus.toml.",
        )
    folder = _lasting(repository, commands)
    with _writing(folder):
        texts = {folder / name: _read(folder / name, commands) for name in HOOKS}
        made = {
            file: with_block(text, commands, _told(repository, file, executable), place) for file, text in texts.items()
        }
        folder.mkdir(parents=True, exist_ok=True)
        return [_write(file, texts[file], text) for file, text in made.items()]


def remove(repository: Repository) -> list[Hook]:
    """Take isthmus out again; a hook that holds nothing else goes.

    Raises:
        ConfigError: A file cannot be written (code `hook-not-written`).
    """
    folder = repository.hooks()
    found: list[Hook] = []
    with _writing(folder):
        for file in (place / name for place in dict.fromkeys((folder, _of_people(folder))) for name in HOOKS):
            text = _text(file)
            if not text or not has_block(text):
                continue
            rest = without_blocks(text)
            if rest is None:
                file.unlink()
            else:
                file.write_text(rest, encoding="utf-8")
            found.append(Hook(file, "removed"))
    return found


@contextlib.contextmanager
def _writing(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as fault:
        raise ConfigError(
            f"A hook cannot be written: {fault.strerror or fault}.",
            code="hook-not-written",
            where=Where(file=str(fault.filename or folder)),
            hint="Let git's folder of hooks (git rev-parse --git-path hooks) be one that can be written to.",
        ) from None


def _lasting(repository: Repository, commands: Sequence[str]) -> Path:
    """Return the folder in which a hook stays what it is."""
    folder = _of_people(repository.hooks())
    if _is_shared(repository, folder) and repository.is_ignored(folder / HOOKS[0]):
        raise ConfigError(
            "Git passes over the folder of its hooks, so that a tool seems to make it anew.",
            code="hooks-of-a-tool",
            where=Where(file=str(folder)),
            hint=f"Let that tool run, before commits and merge commits: {_spoken(commands)}",
        )
    return folder


def _of_people(folder: Path) -> Path:
    """Return where people write hooks: husky 9 makes `.husky/_` anew at each install, from where each hook runs the one
    of its name in `.husky`."""
    return (
        folder.parent if folder.name == "_" and (folder.parent.name == ".husky" or (folder / "h").exists()) else folder
    )


def _is_shared(repository: Repository, place: Path) -> bool:
    """Tell whether a file or folder, or what it is a link to, belongs to the working tree, so that it is committed."""
    root = repository.root.resolve()
    inside = place.resolve()
    return inside.is_relative_to(root) and ".git" not in inside.relative_to(root).parts


def _told(repository: Repository, file: Path, executable: str) -> str:
    """Return how a hook calls isthmus where it is not on the path: by no path of one machine in what is committed."""
    if not _is_shared(repository, file):
        return executable
    root = repository.root.resolve()
    found = Path(executable).absolute()
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else "isthmus"


def _read(file: Path, commands: Sequence[str]) -> str | None:
    text = _text(file)
    if text is None or (text == "" and file.stat().st_size == 0):
        return None
    if text == "" or (text.startswith("#!") and not _SHELL.match(text.partition("\n")[0])):
        raise ConfigError(
            "The hook that is there is no shell script, so nothing can be put into it.",
            code="hook-in-the-way",
            where=Where(file=str(file)),
            hint=f"Let it run: {_spoken(commands)}",
        )
    maker = maker_of(text)
    if maker is not None:
        raise ConfigError(
            f"The hook that is there is written by {maker.name}, which would write it anew without isthmus.",
            code="hooks-of-a-tool",
            where=Where(file=str(file)),
            hint=maker.advise(commands),
        )
    return text


def _spoken(commands: Sequence[str]) -> str:
    return "; ".join(f"isthmus {one}" for one in commands)


def _text(file: Path) -> str | None:
    """Return a hook's text; None where there is none, empty where it is no text."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (UnicodeDecodeError, IsADirectoryError):
        return ""


def _write(file: Path, before: str | None, text: str) -> Hook:
    done: Done = (
        "written" if before is None else "unchanged" if before == text else "renewed" if has_block(before) else "added"
    )
    if done != "unchanged":
        file.write_text(text, encoding="utf-8")
    file.chmod(file.stat().st_mode | 0o111)  # git passes over a hook that may not be executed
    return Hook(file, done)
