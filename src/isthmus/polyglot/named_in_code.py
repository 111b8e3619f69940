"""Find what still names MongoDB in folders of code: imports, settings, dependencies, images. Reads files, writes none.

Only what is named is told, with file and line; never the line itself, which may hold a password.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["code", "setting", "dependency", "container"]

KINDS: tuple[Kind, ...] = ("code", "setting", "dependency", "container")

_CODE = frozenset({".py", ".pyi", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"})
_PASSED = frozenset(
    {"node_modules", "__pycache__", "site-packages", "dist", "build", "target", "coverage", "venv", "vendor"}
)
_MOST_BYTES = 4 << 20
_DEPENDENCY = re.compile(r"package\.json|pyproject\.toml|setup\.(py|cfg)|Pipfile|requirements[^/]*\.(txt|in)")
_CONTAINER = re.compile(r"(docker-)?compose[^/]*\.ya?ml|(.*\.)?(Dockerfile|Containerfile)(\..*)?", re.IGNORECASE)
_SETTING = re.compile(r"\.env(\..*|rc)?|.*\.env", re.IGNORECASE)

_ADDRESS = re.compile(rb"mongodb(?:\+srv)?://[^\s\"'`]*", re.IGNORECASE)
# Not Mongolia, and nothing humongous.
_WORD = re.compile(rb"(?<!hu)mongo(?!l)", re.IGNORECASE)
_WORDS = (
    b"@auth/mongodb-adapter",
    b"@next-auth/mongodb-adapter",
    b"@nestjs/mongoose",
    b"mongodb-memory-server",
    b"connect-mongo",
    b"mongoengine",
    b"mongomock",
    b"mongoose",
    b"mongosh",
    b"mongodump",
    b"mongorestore",
    b"pymongo",
    b"MongoClient",
    b"mongodb",
    b"mongo",
)
"""What is told of a line; a word that holds another stands before it."""
# Packages without the word in their names: imported, or listed as what a project needs.
_OTHERS = re.compile(
    rb"^\s*(?:from|import)\s+(motor|beanie|odmantic)\b"
    rb"|[\"'](motor|beanie|odmantic|@typegoose/typegoose)(?:\[[^\]]*\])?\s*(?:[=<>~!;][^\"']*)?[\"']"
    rb"|^\s*(motor|beanie|odmantic)(?:\[[^\]]*\])?\s*(?:[=<>~!;]|$)",
    re.IGNORECASE,
)
# A variable by its name: where it is set, or asked for.
_VARIABLE = re.compile(
    rb"^\s*(?:export\s+|ENV\s+|ARG\s+|-\s+)?[\"']?([A-Z][A-Z0-9_]*MONGO[A-Z0-9_]*|MONGO[A-Z0-9_]*)[\"']?\s*[=:]"
    rb"|(?:process\.env\.|import\.meta\.env\.|environ(?:\.get\()?[\[(]?[\"']|getenv\([\"']|process\.env\[[\"'])"
    rb"([A-Z0-9_]*MONGO[A-Z0-9_]*)"
)


@dataclass(frozen=True)
class Named:
    """One line that names MongoDB.

    Attributes:
        file: Path below the folder that was given, with that folder in front.
        line: Counted from 1.
        names: What it names, each once: a word that is known here, a variable, `mongodb://…` for an address.
        kind: What kind of file it is in.
    """

    file: str
    line: int
    names: tuple[str, ...]
    kind: Kind

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"file": self.file, "line": self.line, "names": list(self.names), "kind": self.kind}


@dataclass
class Code:
    """What folders of code name.

    Attributes:
        files: How many files were looked at.
        named: Lines, in the order of folders, files and lines.
        unread: Files that could not be looked at, with the reason.
    """

    files: int = 0
    named: list[Named] = field(default_factory=list[Named])
    unread: list[str] = field(default_factory=list[str])


def look_through(folders: Sequence[Path], collections: Collection[str] = ()) -> Code:
    """Look through folders of code. Folders of packages, of builds and hidden ones are passed over; links too.

    Args:
        folders: The folders.
        collections: Names that count as well, where they stand in quotes.
    """
    found, quoted = Code(), _in_quotes(collections)
    for folder in folders:
        for path in _files(folder, found):
            kind = kind_of(path.name)
            if kind is None:
                continue
            shown = path.as_posix()
            try:
                if path.stat().st_size > _MOST_BYTES:
                    found.unread.append(f"{shown}: larger than {_MOST_BYTES >> 20} MiB")
                    continue
                content = path.read_bytes()
            except OSError as fault:
                found.unread.append(f"{shown}: {fault.strerror or 'cannot be read'}")
                continue
            found.files += 1
            found.named += named_in(content, shown, kind, quoted)
    return found


def kind_of(name: str) -> Kind | None:
    """Return what kind of file a name is of; None for files that are not looked at."""
    if _DEPENDENCY.fullmatch(name):
        return "dependency"
    if _CONTAINER.fullmatch(name):
        return "container"
    if _SETTING.fullmatch(name):
        return "setting"
    return "code" if Path(name).suffix.lower() in _CODE else None


def named_in(content: bytes, file: str, kind: Kind, quoted: re.Pattern[bytes] | None = None) -> Iterator[Named]:
    """Yield the lines of a file that name MongoDB, or hold what a pattern finds (its first group is the name)."""
    for number, line in enumerate(content.splitlines(), start=1):
        names = list(dict.fromkeys(_names(line)))
        if quoted is not None:
            names += dict.fromkeys(match[1].decode("utf-8", "replace") for match in quoted.finditer(line))
        if names:
            yield Named(file, number, tuple(names), kind)


def _in_quotes(names: Collection[str]) -> re.Pattern[bytes] | None:
    """Return a pattern of names in quotes; None for no names."""
    any_of = b"|".join(re.escape(name.encode()) for name in names)
    return re.compile(rb"(?<=[\"'`])(" + any_of + rb")(?=[\"'`])") if names else None


def _names(line: bytes) -> Iterator[str]:
    """Yield what a line names: words of ours and names of variables, so that no value of a setting is told."""
    if _ADDRESS.search(line):
        yield "mongodb://…"
        line = _ADDRESS.sub(b" ", line)
    for match in _VARIABLE.finditer(line):
        yield next(group for group in match.groups() if group).decode("ascii")
    line = _VARIABLE.sub(b" ", line)
    folded = line.lower()
    for word in _WORDS:
        if word.lower() in folded and (word != b"mongo" or _WORD.search(line)):
            yield word.decode("ascii")
            folded = folded.replace(word.lower(), b" ")
            line = folded
    for match in _OTHERS.finditer(line):
        yield next(group for group in match.groups() if group).decode("ascii")


def _files(folder: Path, found: Code) -> Iterator[Path]:
    """Yield the files of a folder in order; a folder that cannot be read is told."""

    def refused(fault: OSError) -> None:
        found.unread.append(f"{Path(str(fault.filename)).as_posix()}: {fault.strerror or 'cannot be read'}")

    for place, folders, files in os.walk(folder, onerror=refused):
        folders[:] = sorted(name for name in folders if name not in _PASSED and not name.startswith("."))
        for name in sorted(files):
            path = Path(place, name)
            if not path.is_symlink():
                yield path
