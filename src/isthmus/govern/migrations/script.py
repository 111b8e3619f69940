"""A migration as a deployer reads it: from files, for where it runs there need be no repository."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from isthmus.errors import ConfigError, Problem, Where
from isthmus.govern.migrations.folder import Migration, read_folder
from isthmus.govern.migrations.header import Header, read_header
from isthmus.govern.migrations.names import Name, is_earlier
from isthmus.govern.repository.tree import FILE, Blob, Tree
from isthmus.govern.settings import SchemaSettings
from isthmus.govern.sql.statements import SqlFault, Statement, split
from isthmus.govern.sql.transactions import misplaced


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
        as_one_text: Whether it is sent as a whole, as its own runner did: one of the baseline that ends transactions
            itself, or cannot be cut up. It is its only statement then, and no transaction of ours.
        faults: Why it cannot be executed at all: a text of the baseline that only psql understands, or one behind it
            without any statement. Other faults are refused when they are read.
    """

    name: Name
    file: str
    sql: str
    checksum: str
    statements: tuple[Statement, ...]
    rollback: str | None
    as_one_text: bool = False
    faults: tuple[Problem, ...] = ()

    @cached_property
    def header(self) -> Header:
        """What its header says."""
        return read_header(self.sql)

    @property
    def in_transaction(self) -> bool:
        """Whether all of it is one transaction."""
        return self.header.in_transaction and not self.as_one_text

    def is_text_of(self, checksum: str) -> bool:
        """Tell whether a checksum is that of this text, whatever ends of lines it was checked out with."""
        return checksum in checksums(self.sql)


def checksums(text: str) -> list[str]:
    """Return SHA-256 of a text as it is, with line feeds, and with carriage returns before them; hex."""
    plain = text.replace("\r\n", "\n")
    return [hashlib.sha256(one.encode()).hexdigest() for one in (text, plain, plain.replace("\n", "\r\n"))]


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
        script
        for one in found.migrations.values()
        if (script := _script(folder, one, texts, settings, problems)) is not None
    ]
    numbers = [one.name.number for one in scripts if not is_earlier(one.name, settings)]
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


def _script(
    folder: Path, one: Migration, texts: dict[str, bytes], settings: SchemaSettings, problems: list[Problem]
) -> Script | None:
    where = Where(file=str(folder / one.path.removeprefix("m/")))
    if one.name is None:
        problems.append(Problem("bad-migrations", "Its name has not the form of a migration's.", where))
        return None
    if one.sql is None:
        problems.append(Problem("bad-migrations", "It has no SQL.", where))
        return None
    file = str(folder / one.sql.path.removeprefix("m/"))
    try:
        text = texts[one.sql.path].decode()
    except UnicodeDecodeError:
        problems.append(Problem("bad-migrations", "It is not UTF-8.", where))
        return None
    if "\0" in text:  # a client cuts a statement off there, and the server executes what is left
        line = text.count("\n", 0, text.index("\0")) + 1
        cut = Problem("bad-migrations", "It holds a NUL byte.", Where(file=file, line=line), "Take it out.")
        if is_earlier(one.name, settings):
            statement = Statement(text, 1, ())
            return Script(one.name, file, text, one.sql.oid, (statement,), None, as_one_text=True, faults=(cut,))
        problems.append(cut)
        return None
    try:
        statements = tuple(split(text))
        rollback = texts[one.rollback.path].decode() if one.rollback is not None else None
    except UnicodeDecodeError:
        problems.append(Problem("bad-migrations", "It is not UTF-8.", where))
        return None
    except SqlFault as fault:
        unended = Problem("bad-migrations", f"Its SQL does not end: {fault}.", Where(file=file, line=fault.line))
        if is_earlier(one.name, settings):
            return Script(one.name, file, text, one.sql.oid, (Statement(text, 1, ()),), None, as_one_text=True)
        problems.append(unended)
        return None
    stated = rollback if rollback is not None else read_header(text).value("Rollback")
    script = Script(one.name, file, text, one.sql.oid, statements, stated)
    faults = [
        Problem("bad-migrations", said, Where(file=file, line=line), hint) for line, said, hint in of_psql(statements)
    ]
    bad = [
        Problem("bad-migrations", found.message, Where(file=file, line=found.line), found.hint)
        for found in misplaced(statements, in_transaction=script.in_transaction)
    ]
    if not is_earlier(one.name, settings):
        problems += bad + faults
        return script if statements else replace(script, faults=(_nothing_in(file),))
    if bad:
        script = replace(script, statements=(Statement(text, 1, ()),), as_one_text=True)
    return replace(script, faults=tuple(faults))


def _nothing_in(file: str) -> Problem:
    hint = "Write one; SELECT 1; is one that changes nothing."
    return Problem("bad-migrations", "It holds no statement.", Where(file=file), hint)


def of_psql(statements: Sequence[Statement]) -> Iterator[tuple[int, str, str]]:
    """Yield line, what is wrong, and what to do, of what only psql understands, such as a file of pg_dump."""
    for one in statements:
        if one.begins("\\"):
            yield one.line, "A command of psql is no SQL.", "Leave it out."
        elif one.begins("COPY") and {"FROM", "STDIN"} <= {token.word for token in one.tokens}:
            yield one.line, "COPY FROM STDIN reads rows from the file, which only psql does.", "Write INSERT."
