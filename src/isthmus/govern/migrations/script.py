"""A migration as a deployer reads it: from files, for where it runs there need be no repository."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from isthmus.errors import ConfigError, Problem, Where
from isthmus.govern.migrations.folder import Migration, read_folder
from isthmus.govern.migrations.header import Header, read_header
from isthmus.govern.migrations.names import Name
from isthmus.govern.repository.tree import FILE, Blob, Tree
from isthmus.govern.settings import SchemaSettings
from isthmus.govern.sql.statements import SqlFault, Statement, split

_ENDING_A_TRANSACTION = (
    ("BEGIN",),
    ("START", "TRANSACTION"),
    ("COMMIT",),
    ("END",),
    ("ROLLBACK",),
    ("ABORT",),
    ("PREPARE", "TRANSACTION"),
)


@dataclass(frozen=True)
class Script:
    """One migration, to be executed.

    Attributes:
        name: Its name, taken apart.
        file: Its SQL, for people.
        sql: The text.
        checksum: SHA-256 of the file, hex.
        statements: Its statements.
        rollback: The SQL that undoes it; None where it has none.
    """

    name: Name
    file: str
    sql: str
    checksum: str
    statements: tuple[Statement, ...]
    rollback: str | None

    @cached_property
    def header(self) -> Header:
        """What its header says."""
        return read_header(self.sql)

    @property
    def in_transaction(self) -> bool:
        """Whether all of it is one transaction."""
        return self.header.value("Transaction") != "none"


def read_scripts(folder: Path, settings: SchemaSettings) -> list[Script]:
    """Read the migrations of a folder, in the order in which they are applied.

    Raises:
        ConfigError: There is no such folder (code `no-migrations`), or some of them cannot be executed as they are
            (`bad-migrations`); `problems` holds every finding.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"There is no folder {folder}.", code="no-migrations", hint="Name the folder of migrations in the settings."
        )
    texts: dict[str, bytes] = {}
    blobs: dict[str, Blob] = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            inside = f"m/{file.relative_to(folder).as_posix()}"
            texts[inside] = file.read_bytes()
            blobs[inside] = Blob(inside, FILE, hashlib.sha256(texts[inside]).hexdigest())
    found = read_folder(Tree("files", blobs), "m", settings)
    problems: list[Problem] = []
    scripts = [
        script for one in found.migrations.values() if (script := _script(folder, one, texts, problems)) is not None
    ]
    numbers = [one.name.number for one in scripts]
    for one in scripts:
        if numbers.count(one.name.number) > 1:
            problems.append(Problem("bad-migrations", "Its number is another one's too.", Where(file=one.file)))
    if problems:
        raise ConfigError(
            f"The migrations in {folder} cannot be executed as they are.",
            code="bad-migrations",
            problems=tuple(problems),
            hint="isthmus schema check says more.",
        )
    return scripts


def _script(folder: Path, one: Migration, texts: dict[str, bytes], problems: list[Problem]) -> Script | None:
    where = Where(file=str(folder / one.path.removeprefix("m/")))
    if one.name is None:
        problems.append(Problem("bad-migrations", "Its name has not the form of a migration's.", where))
        return None
    if one.sql is None:
        problems.append(Problem("bad-migrations", "It has no SQL.", where))
        return None
    raw = texts[one.sql.path]
    try:
        text = raw.decode()
        statements = tuple(split(text))
        rollback = texts[one.rollback.path].decode() if one.rollback is not None else None
    except UnicodeDecodeError:
        problems.append(Problem("bad-migrations", "It is not UTF-8.", where))
        return None
    except SqlFault as fault:
        place = Where(file=where.file, line=fault.line)
        problems.append(Problem("bad-migrations", f"Its SQL does not end: {fault}.", place))
        return None
    script = Script(
        one.name,
        str(folder / one.sql.path.removeprefix("m/")),
        text,
        one.sql.oid,
        statements,
        rollback if rollback is not None else read_header(text).value("Rollback"),
    )
    for found in script.statements if script.in_transaction else ():
        if any(found.begins(*words) for words in _ENDING_A_TRANSACTION):
            problems.append(
                Problem(
                    "bad-migrations",
                    f"{found.words[0]} would end the transaction in which a migration is applied as a whole.",
                    Where(file=where.file, line=found.line),
                    "Leave it out, or write `-- Transaction: none` into the header.",
                )
            )
    return script
