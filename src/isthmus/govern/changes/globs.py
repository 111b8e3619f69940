"""Globs over paths as git has them. Pure.

`*`, `?` and `[…]` stay within one name, `**` as a whole name stands for any number of folders, none included, and `!`
at the beginning takes files out again. Upper and lower case are different, everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import PurePosixPath

from isthmus.govern.repository.tree import ALL

FOLDERS, OUT = "**", "!"
_MAGIC = re.compile(r"[*?\[]")


class Globs:
    """Which files of a project are models.

    Args:
        texts: The globs, from the project's folder.
        place: That folder, from the repository's root; empty for the root.
        but: Another one, of which nothing is a model: that of the log.
        also: Further ones, of which files are models too: those of the settings that were.
    """

    def __init__(self, texts: Iterable[str], place: str = "", but: str = "", also: Globs | None = None) -> None:
        self._also = also
        self._place = f"{place}/" if place else ""
        self._but = f"{but}/" if but else None
        texts = tuple(texts)
        self._out = [_pattern(text[1:]) for text in texts if text.startswith(OUT)]
        self._in = {text: _pattern(text) for text in texts if not text.startswith(OUT)}

    def match(self, path: str) -> bool:
        """Tell whether a path from the repository's root is one of a model."""
        return any(True for _ in self.matching(path)) or (self._also is not None and self._also.match(path))

    def matching(self, path: str) -> Iterable[str]:
        """Yield the globs that take a path in; none where another one takes it out."""
        if not path.startswith(self._place) or (self._but is not None and path.startswith(self._but)):
            return
        inside = path[len(self._place) :]
        if any(pattern.fullmatch(inside) for pattern in self._out):
            return
        yield from (text for text, pattern in self._in.items() if pattern.fullmatch(inside))

    @property
    def positive(self) -> list[str]:
        """Those that take files in."""
        return list(self._in)

    @property
    def folders(self) -> list[str]:
        """Folders in which all of it lies, from the repository's root; `ALL` alone where that is all of it."""
        found = {(self._place + _fixed(text)).rstrip("/") or ALL for text in self._in}
        found.update(self._also.folders if self._also is not None else ())
        return [ALL] if ALL in found else sorted(found)


def _fixed(text: str) -> str:
    parts: list[str] = []
    for part in PurePosixPath(text).parts:
        if _MAGIC.search(part):
            break
        parts.append(part)
    return "/".join(parts)


def glob_fault(text: str) -> str | None:
    """Say why a text is no glob of files of a project; None where it is one."""
    inside = text.removeprefix(OUT)
    parts = inside.split("/")
    if "" in parts or ".." in parts or "." in parts or "\\" in inside:
        return "it must be a path inside of the project, with / between names"
    if "{" in inside:
        return "it must not hold {…}: write a glob for each"
    if any(FOLDERS in part and part != FOLDERS for part in parts):
        return "** must be a name of its own: lib/**/*.ts"
    try:
        _pattern(inside)
    except re.error:
        return "its […] is no set of letters"
    return None


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = text.split("/")
    made: list[str] = []
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == FOLDERS:
            made.append(".+" if last else "(?:[^/]+/)*")
        else:
            made.append(_name(part) + ("" if last else "/"))
    return re.compile("".join(made), re.DOTALL)


def _name(part: str) -> str:
    made = ""
    at = 0
    while at < len(part):
        letter = part[at]
        end = part.find("]", at + 2) if letter == "[" else -1
        if letter == "*":
            made += "[^/]*"
        elif letter == "?":
            made += "[^/]"
        elif end > 0:
            inner = part[at + 1 : end]
            turned = inner.startswith(("!", "^"))
            body = (inner[1:] if turned else inner).replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^")
            made += f"(?!/)[{'^' if turned else ''}{body}]"
            at = end
        else:
            made += re.escape(letter)
        at += 1
    return made
