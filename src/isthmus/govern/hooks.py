"""Git's hooks: a marked block in `pre-commit` and `pre-merge-commit`, beside whatever stands there already."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from isthmus.errors import ConfigError, Where
from isthmus.govern.repository.git import Repository

HOOKS = ("pre-commit", "pre-merge-commit")
"""A merge without conflicts runs the second one only (git help githooks)."""
_BEGIN, _END = "# >>> isthmus >>>", "# <<< isthmus <<<"
_BLOCK = re.compile(rf"{re.escape(_BEGIN)}\n.*?{re.escape(_END)}\n", re.DOTALL)
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


def install(repository: Repository, commands: list[str], executable: str) -> list[Hook]:
    """Let git run commands before every commit and merge commit; safe to repeat.

    Args:
        repository: Whose hooks.
        commands: What isthmus is asked, such as `schema check --staged`.
        executable: Where isthmus is, for who has it not on the path.

    Raises:
        ConfigError: A hook that is there is no shell script (code `hook-in-the-way`); nothing was written.
    """
    folder = repository.hooks()
    texts = {folder / name: _read(folder / name) for name in HOOKS}
    for file, text in texts.items():
        if text is not None and not _SHELL.match(text.partition("\n")[0]):
            raise ConfigError(
                "The hook that is there is no shell script, so nothing can be put into it.",
                code="hook-in-the-way",
                where=Where(file=str(file)),
                hint=f"Let it run: {'; '.join(f'isthmus {one}' for one in commands)}",
            )
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(file, text, with_block(text, commands, executable)) for file, text in texts.items()]


def remove(repository: Repository) -> list[Hook]:
    """Take the blocks out again; a hook that holds nothing else goes."""
    found: list[Hook] = []
    for name in HOOKS:
        file = repository.hooks() / name
        text = _read(file)
        if text is None or not _BLOCK.search(text):
            continue
        rest = _BLOCK.sub("", text)
        if rest.strip() in {"", "#!/bin/sh"}:
            file.unlink()
        else:
            file.write_text(rest, encoding="utf-8")
        found.append(Hook(file, "removed"))
    return found


def with_block(text: str | None, commands: list[str], executable: str) -> str:
    """Return a hook's text with the block behind its first line, in place of one that it has. Pure."""
    lines = [
        _BEGIN,
        f"isthmus_command=$(command -v isthmus || echo {shlex.quote(executable)})",
        *(f'"$isthmus_command" {one} || exit $?' for one in commands),
        _END,
        "",
    ]
    block = "\n".join(lines)
    if text is None:
        return f"#!/bin/sh\n{block}"
    if _BLOCK.search(text):
        return _BLOCK.sub(lambda _: block, text, count=1)
    first, _, rest = text.partition("\n")
    return f"{first}\n{block}{rest}"


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""  # no shell script


def _write(file: Path, before: str | None, text: str) -> Hook:
    done: Done = (
        "written"
        if before is None
        else "unchanged"
        if before == text
        else "renewed"
        if _BLOCK.search(before)
        else "added"
    )
    if done != "unchanged":
        file.write_text(text, encoding="utf-8")
    file.chmod(file.stat().st_mode | 0o111)  # git passes over a hook that may not be executed
    return Hook(file, done)
